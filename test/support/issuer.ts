import { generateKeyPairSync, randomUUID, type JsonWebKey } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Adapter, type JWK } from 'oidc-provider';

/** What a token is to say. */
interface TokenFields {
  /** Of its client when there is none. */
  readonly sub?: string;
  readonly scope?: string;
  readonly audience?: string;
  /** Seconds. */
  readonly ttl?: number;
}

/** An issuer of OpenID Connect that nobody here wrote, on this machine. */
export interface Issuer {
  readonly url: string;
  /** Signs a token, as an access token in the form of a JWT (RFC 9068). */
  readonly token: (fields: TokenFields) => Promise<string>;
  /** Of the key that it signs with. */
  readonly publicKey: () => Promise<JsonWebKey>;
  /** Its keys are others from now on. */
  readonly rotate: () => void;
  /** Requests for its keys, and for where they are. */
  readonly asked: () => number;
  /** It does not answer any more. */
  readonly stop: () => Promise<void>;
}

export const AUDIENCE = 'https://orders.example';
const SCOPES = 'products:read orders:read ops:read openid';
const CLIENT_ID = 'warehouse';

/** @param port where it listens; any free one unless given. */
export async function startIssuer(port = 0): Promise<Issuer> {
  let asked = 0;
  let provider: Provider | undefined;
  const server = createServer((request, response) => {
    asked++;
    void provider?.callback()(request, response);
  });
  const url = await listen(server, port);
  provider = providerOf(url);
  return {
    url,
    publicKey: async () => {
      const { keys }: { keys: [JsonWebKey] } = JSON.parse(await (await fetch(`${url}/jwks`)).text());
      return keys[0];
    },
    rotate: () => (provider = providerOf(url)),
    asked: () => asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    token: async ({ sub = CLIENT_ID, scope, audience = AUDIENCE, ttl = 600 }) => {
      if (provider === undefined) throw new Error('The issuer is not there');
      const client = await provider.Client.find(CLIENT_ID);
      if (client === undefined) throw new Error('The issuer has no client');
      const token = new provider.AccessToken({
        accountId: sub,
        client,
        grantId: randomUUID(),
        gty: 'client_credentials',
        expiresIn: ttl,
        ...(scope === undefined ? {} : { scope }),
      });
      token.resourceServer = new provider.ResourceServer(audience, resourceServerOf(audience));
      return token.save();
    },
  };
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function resourceServerOf(audience: string) {
  return {
    audience,
    scope: SCOPES,
    accessTokenTTL: 600,
    accessTokenFormat: 'jwt' as const,
    jwt: { sign: { alg: 'RS256' as const } },
  };
}

/** Keeps nothing: its tokens are read by nobody but us. */
class NoAdapter implements Adapter {
  async upsert(): Promise<void> {}
  async find(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

function providerOf(url: string): Provider {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' } as JWK;
  return new Provider(url, {
    adapter: NoAdapter,
    ttl: { AccessToken: 600 },
    jwks: { keys: [key] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: randomUUID(),
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
      },
    ],
    scopes: SCOPES.split(' '),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: () => resourceServerOf(AUDIENCE) },
    },
  });
}
