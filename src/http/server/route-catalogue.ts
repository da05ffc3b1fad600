/** Knows which methods each path takes, to tell a wrong method (405) from an unknown path (404). */
export class RouteCatalogue {
  private readonly routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** Adds a route in Fastify's notation, `/products/:id`. */
  add(path: string, methods: string | readonly string[]): void {
    const route = this.routes.get(path) ?? { pattern: toPattern(path), methods: new Set() };
    for (const method of [methods].flat()) route.methods.add(method);
    this.routes.set(path, route);
  }

  /** The methods that the path of `url` takes, sorted; none when there is no such path. */
  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0] ?? url;
    const methods = [...this.routes.values()].flatMap((route) => (route.pattern.test(path) ? [...route.methods] : []));
    return [...new Set(methods)].sort();
  }
}

function toPattern(path: string): RegExp {
  const source = path
    .replace(/\/$/, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/:\w+/g, '[^/]+')
    .replace(/\*/g, '.*');
  return new RegExp(`^${source}/?$`);
}
