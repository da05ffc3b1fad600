/** What each process that a test starts is given, beside its own variables: where programs are, and that what it logs is kept. */
const { PATH, NODE_OPTIONS, TEST_LOGS } = process.env;
export const BASE_ENVIRONMENT = { PATH, NODE_OPTIONS, TEST_LOGS };
