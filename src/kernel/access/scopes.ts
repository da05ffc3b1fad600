/** What a caller may do, in words that tokens and keys carry. */
export const SCOPES = [
  'products:read',
  'products:write',
  'stock:write',
  'orders:read',
  'orders:create',
  'orders:manage',
  'reservations:write',
  'events:read',
  'webhooks:manage',
  'ops:read',
  'ops:manage',
  'keys:manage',
] as const;

export type Scope = (typeof SCOPES)[number];

/** Who may write may read. Who may change a product may change its stock, which is one of its fields. */
const IMPLIED: Partial<Record<Scope, readonly Scope[]>> = {
  'products:write': ['products:read', 'stock:write'],
  'stock:write': ['products:read'],
  'orders:manage': ['orders:read'],
  'ops:manage': ['ops:read'],
};

const STOREFRONT: readonly Scope[] = ['products:read', 'orders:read', 'orders:create', 'reservations:write'];
const FULFILMENT: readonly Scope[] = ['products:read', 'stock:write', 'orders:read', 'orders:manage', 'events:read'];

/** Named sets of scopes. */
export const ACCESS_ROLES = {
  /** A shop's own pages: shows products, buys, holds, and shows orders. */
  storefront: STOREFRONT,
  /** A warehouse: sees orders and what happens to them, and corrects stock. */
  fulfilment: FULFILMENT,
  /** Who runs the shop: everything but keys. */
  operator: SCOPES.filter((scope) => scope !== 'keys:manage'),
  admin: SCOPES,
} as const satisfies Record<string, readonly Scope[]>;

export type AccessRole = keyof typeof ACCESS_ROLES;

/** What a customer may do, with what is its own. */
export const CUSTOMER_SCOPES = STOREFRONT;

/** The names of the roles. */
export const ACCESS_ROLE_NAMES: readonly AccessRole[] = ['storefront', 'fulfilment', 'operator', 'admin'];

/** What the scopes allow, with what they imply. */
export function widened(scopes: Iterable<Scope>): ReadonlySet<Scope> {
  const all = new Set<Scope>();
  for (const scope of scopes) for (const each of [scope, ...(IMPLIED[scope] ?? [])]) all.add(each);
  return all;
}

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

export function isAccessRole(text: string): text is AccessRole {
  return ACCESS_ROLE_NAMES.some((role) => role === text);
}
