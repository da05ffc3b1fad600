import { createHmac } from 'node:crypto';

/**
 * The variables that lead to the roles of a PostgreSQL that this machine keeps for itself. The passwords follow from that of the superuser,
 * by HMAC: whoever has one of them does not get at the others, and nothing more is to be stored.
 */
export function databaseUrls(adminUrl: string): Record<string, string> {
  const urlOf = (role: string) => {
    const url = new URL(adminUrl);
    url.username = `orders_${role}`;
    url.password = createHmac('sha256', url.password).update(role).digest('base64url');
    return url.href;
  };
  return {
    DATABASE_ADMIN_URL: adminUrl,
    DATABASE_OWNER_URL: urlOf('owner'),
    DATABASE_URL: urlOf('application'),
    DATABASE_READER_URL: urlOf('reader'),
  };
}
