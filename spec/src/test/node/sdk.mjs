// The official TypeScript SDK as a program that a test talks to: one JSON command a line on stdin, one JSON answer a line
// on stdout. It adds nothing to the SDK and hides nothing: what the SDK returns or throws is what the test sees.
//
//   {"n":1,"call":"beta.agents.create","args":[{...}],"as":"<credential>"}   -> {"n":1,"value":...,"requestId":"req_..."}
//   {"n":2,"all":"beta.sessions.list","args":[{"limit":2}],"as":...}         -> {"n":2,"value":[every object, auto-paged]}
//   {"n":3,"open":"beta.sessions.events.stream","args":[id],"as":...}        -> {"n":3,"value":"open"}, then {"stream":3,"event":{...},"at":ms}...
//   {"n":4,"close":3}                                                        -> {"n":4,"value":"closed"}
// What the SDK throws comes back as {"n":..,"error":{"name","status","type","code","message","requestId"},"ms":..}.
import Anthropic from '@anthropic-ai/sdk';
import readline from 'node:readline';

const baseURL = process.env.GLOVEBOX_BASE_URL;
const clients = new Map();
const streams = new Map();

function clientFor(credential) {
  if (!clients.has(credential)) {
    clients.set(credential, new Anthropic({ apiKey: credential, baseURL }));
  }
  return clients.get(credential);
}

function say(answer) {
  process.stdout.write(JSON.stringify(answer) + '\n');
}

function bound(client, path) {
  const names = path.split('.');
  const method = names.pop();
  const resource = names.reduce((object, name) => object[name], client);
  return (args) => resource[method](...args.map((a) => (a === '__undefined__' ? undefined : a)));
}

function describe(error) {
  return {
    name: error?.constructor?.name ?? typeof error,
    status: error?.status ?? null,
    type: error?.error?.error?.type ?? null,
    code: error?.error?.error?.details?.error_code ?? null,
    details: error?.error?.error?.details ?? null,
    message: error?.error?.error?.message ?? String(error?.message ?? error),
    shouldRetry: error?.headers?.get?.('x-should-retry') ?? null,
    requestId: error?.requestID ?? null,
  };
}

async function open(n, call, args) {
  const stream = await call(args);
  streams.set(n, stream);
  say({ n, value: 'open' });
  try {
    for await (const event of stream) say({ stream: n, event, at: Date.now() });
    say({ stream: n, end: 'closed' });
  } catch (error) {
    say({ stream: n, end: describe(error).message });
  }
}

async function answer(command) {
  const { n, as, args = [] } = command;
  const client = clientFor(as);
  if (command.open) return open(n, bound(client, command.open), args);
  if (command.close) {
    streams.get(command.close)?.controller.abort();
    return say({ n, value: 'closed' });
  }
  if (command.all) {
    const value = [];
    for await (const item of bound(client, command.all)(args)) value.push(item);
    return say({ n, value });
  }
  const value = await bound(client, command.call)(args);
  return say({ n, value: value ?? null, requestId: value?._request_id ?? null });
}

say({ ready: process.version });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const started = Date.now();
  const command = JSON.parse(line);
  answer(command).catch((error) => say({ n: command.n, error: describe(error), ms: Date.now() - started }));
}
process.exit(0);
