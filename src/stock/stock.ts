/** The largest stock of a product: what its column holds. */
export const MAX_STOCK = 2_147_483_647;
