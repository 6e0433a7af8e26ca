// The official EnvironmentWorker, unmodified, as its README shows it: polls one environment and serves its sessions in a
// plain directory, without any sandbox. Leaves when stdin closes or on SIGTERM; exit code 1 when run() rejects.
import Anthropic from '@anthropic-ai/sdk';

const abort = new AbortController();
process.on('SIGTERM', () => abort.abort());
process.stdin.on('end', () => abort.abort()).resume();

const client = new Anthropic({
  apiKey: null,
  authToken: process.env.ANTHROPIC_ENVIRONMENT_KEY,
  baseURL: process.env.ANTHROPIC_BASE_URL,
  logLevel: 'debug',
  logger: {
    error: (...a) => console.error('error', ...a),
    warn: (...a) => console.error('warn', ...a),
    info: (...a) => console.error('info', ...a),
    debug: () => {},
  },
});
const worker = client.beta.environments.work.worker({
  environmentId: process.env.ANTHROPIC_ENVIRONMENT_ID,
  environmentKey: process.env.ANTHROPIC_ENVIRONMENT_KEY,
  workdir: process.env.GLOVEBOX_WORKDIR,
  maxIdleMs: Number(process.env.GLOVEBOX_MAX_IDLE_MS ?? 60_000),
});
console.log(JSON.stringify({ polling: process.env.ANTHROPIC_ENVIRONMENT_ID, node: process.version }));
try {
  await worker.run(abort.signal);
  console.log(JSON.stringify({ left: 'drained' }));
  process.exit(0);
} catch (error) {
  if (abort.signal.aborted) process.exit(0);
  console.log(JSON.stringify({ left: error?.constructor?.name, status: error?.status ?? null }));
  process.exit(1);
}
