import type { FastifyInstance } from 'fastify';

/** The path below which a proxy shows this process, without a slash at its end: empty at the root of a host. */
export function publicPathOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}

/** Leads clients to where they find this process behind a proxy: puts the public path before the paths that the headers name. */
export function sendPublicPaths(server: FastifyInstance, publicPath: string): void {
  if (publicPath === '') return;
  // eslint-disable-next-line no-restricted-syntax -- the hook's own parameters
  server.addHook('onSend', (_request, reply, _payload, done) => {
    const { location, link } = reply.getHeaders();
    if (typeof location === 'string' && location.startsWith('/')) reply.header('Location', `${publicPath}${location}`);
    if (typeof link === 'string') reply.header('Link', link.replaceAll('</', `<${publicPath}/`));
    done();
  });
}
