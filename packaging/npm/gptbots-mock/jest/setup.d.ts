declare const setup: () => Promise<void>;
export = setup;
