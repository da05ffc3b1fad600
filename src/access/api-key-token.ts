import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Scanners for leaked secrets find it by its beginning. */
const PREFIX = 'ord_sk';
const TOKEN = /^ord_sk_([1-9]\d{0,15})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_BYTES = 32;
/** So many digits of base 62 hold 256 bits. */
const SECRET_DIGITS = 43;
const CHECKSUM_DIGITS = 6;

/** The token of a key: `ord_sk_<id>_<43 base62 characters><6 base62 of their CRC32>`, 256 random bits and a checksum. */
export function makeToken(id: number): string {
  const secret = base62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_DIGITS);
  return `${PREFIX}_${id}_${secret}${checksumOf(secret)}`;
}

/** The id in a token that is well-formed: what is mistyped needs no look-up. */
export function keyIdOf(token: string): number | undefined {
  const [, id, secret = '', checksum] = TOKEN.exec(token) ?? [];
  return id !== undefined && checksumOf(secret) === checksum ? Number(id) : undefined;
}

/** What is kept of a token, 32 bytes. Its 256 random bits cannot be guessed from it, so a slow hash would protect nothing. */
export function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

function checksumOf(secret: string): string {
  return base62(BigInt(crc32(secret)), CHECKSUM_DIGITS);
}

/** @param digits how many, filled up with `0`. */
function base62(value: bigint, digits: number): string {
  let text = '';
  for (let rest = value; text.length < digits; rest /= 62n) text = `${DIGITS[Number(rest % 62n)]}${text}`;
  return text;
}
