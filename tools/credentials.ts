/** The header by which a command is let in, where a key is asked for. */
export function credentials(): Record<string, string> {
  const { API_KEY: key } = process.env;
  return key === undefined || key === '' ? {} : { Authorization: `Bearer ${key}` };
}
