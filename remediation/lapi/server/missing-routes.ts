/**
 * What is answered where no route is, as gin does: a path with a slash too many is redirected, a path that knows other methods
 * is 405, any other 404; both have no body.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';

export interface KnownRoute {
  readonly method: string;
  /** `/v1/alerts/:id` */
  readonly path: string;
}

export class RouteTable {
  readonly #routes: { readonly method: string; readonly segments: readonly string[] }[] = [];

  add({ method, path }: KnownRoute): void {
    this.#routes.push({ method, segments: path.split('/') });
  }

  list(): readonly KnownRoute[] {
    return this.#routes.map(({ method, segments }) => ({ method, path: segments.join('/') }));
  }

  /** Methods of the routes that a path leads to. */
  methodsAt(path: string): readonly string[] {
    const given = path.split('/', 16);
    const found = this.#routes.filter(
      ({ segments }) =>
        segments.length === given.length &&
        segments.every((segment, at) => segment === given[at] || (segment.startsWith(':') && given[at] !== '')),
    );
    return [...new Set(found.map(({ method }) => method))];
  }
}

export function createMissingRouteHandler(
  routes: RouteTable,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (request, reply) => {
    const { method } = request;
    const mark = request.url.indexOf('?');
    const path = mark === -1 ? request.url : request.url.slice(0, mark);
    const methods = routes.methodsAt(path);
    if (methods.length > 0) return reply.code(405).header('allow', methods.join(', ')).send();
    if (path.endsWith('/')) {
      const meant = path.slice(0, -1);
      if (routes.methodsAt(meant).includes(method)) {
        const query = mark === -1 ? '' : request.url.slice(mark);
        return reply
          .code(method === 'GET' ? 301 : 307)
          .header('location', `${meant}${query}`)
          .send();
      }
    }
    return reply.code(404).send();
  };
}
