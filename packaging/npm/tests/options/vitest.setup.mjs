import { globalSetup } from "gptbots-mock/vitest/setup";

export default globalSetup({ faults: ["status=599"] });
