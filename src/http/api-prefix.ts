/** The base path of the API; only the pages and the root stand outside of it. */
export const API_PREFIX = '/api/v1';
