/** The document says what the server does: the same routes, and nothing that does not lead anywhere. */
import t from 'tap';
import { alertRoutes } from '../../../../remediation/lapi/routes/alerts.ts';
import { allowlistRoutes } from '../../../../remediation/lapi/routes/allowlists.ts';
import { decisionDeleteRoutes } from '../../../../remediation/lapi/routes/decisions-delete.ts';
import { liveDecisionRoutes } from '../../../../remediation/lapi/routes/decisions-live.ts';
import { decisionStreamRoutes } from '../../../../remediation/lapi/routes/decisions-stream.ts';
import { feedRoutes } from '../../../../remediation/lapi/routes/feeds.ts';
import { openApiDocument } from '../../../../remediation/lapi/server/openapi.ts';
import { openWorld } from './world.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

const document = openApiDocument('1.2.3') as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: object; readonly securitySchemes: object };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

t.test('every route is in the document, and nothing else', async (t) => {
  const families = [
    alertRoutes,
    allowlistRoutes,
    decisionDeleteRoutes,
    liveDecisionRoutes,
    decisionStreamRoutes,
    feedRoutes,
  ];
  const { lapi } = await openWorld(t, { families });
  // What a parameter is called is of no consequence.
  const registered = lapi.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, '{}')}`);
  const written = operations.map(({ path, method }) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
  t.strictSame(registered.toSorted(), written.toSorted());
  t.ok(written.length > 25);
});

t.test('the document is one: references lead somewhere, parameters are declared, names are unique', async (t) => {
  const { schemas, securitySchemes } = document.components;
  const references: readonly string[] = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? [];
  t.ok(references.length > 30);
  for (const reference of new Set(references)) {
    const name = /^"\$ref":"#\/components\/schemas\/(\w+)"$/.exec(reference)?.[1] ?? '';
    t.ok(Object.hasOwn(schemas, name), reference);
  }
  for (const name of Object.keys(schemas)) {
    t.ok(references.includes(`"$ref":"#/components/schemas/${name}"`), `${name} is used`);
  }
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
  for (const { path, method, operation } of operations) {
    const name = `${method} ${path}`;
    const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, parameter]) => parameter);
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    t.strictSame(
      declared.map((parameter) => parameter.name),
      inPath,
      name,
    );
    t.ok(declared.every(({ required }) => required === true));
    t.not(operation.summary, '');
    t.ok(
      Object.keys(operation.responses).some((status) => /^20\d$/.test(status)),
      `${name} can succeed`,
    );
    t.ok(Object.values(operation.responses).every(({ description }) => description !== ''));
    for (const scheme of operation.security.flatMap(Object.keys)) t.ok(Object.hasOwn(securitySchemes, scheme), name);
  }
});

t.test('what needs a key or a token is refused without', async (t) => {
  const { ask } = await openWorld(t);
  let checked = 0;
  for (const { path, method, operation } of operations) {
    if (operation.security.length === 0) continue;
    const answer = await ask(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, '1'), { body: '' });
    // The families that are not registered here answer nothing at all.
    if (answer.status === 404 || answer.status === 405) continue;
    checked++;
    t.ok([401, 403].includes(answer.status), `${method} ${path}: ${answer.status}`);
    t.ok(Object.hasOwn(operation.responses, String(answer.status)), `${answer.status} is in the document`);
  }
  t.equal(checked, 11);
});
