declare const teardown: () => Promise<void>;
export = teardown;
