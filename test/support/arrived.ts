import type { Client } from './api.js';

/** A request is sent before a later one is answered: the server has read it when it answers the later one. */
export async function arrived<T>(api: Client, answer: Promise<T>): Promise<{ answer: Promise<T> }> {
  await api.get('/health');
  return { answer };
}
