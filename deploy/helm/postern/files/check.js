// The test of the release: asks as Envoy does whether the service answers, and says in words what is wrong.
const { connect } = require('node:http2');
const [name, port, metricsPort, isTls, writer] = process.argv.slice(1);
const fail = (why) => {
  console.error(why);
  process.exit(1);
};

async function ready(host, what) {
  const asked = fetch(`http://${host}:${metricsPort}/readyz`, { signal: AbortSignal.timeout(10_000) });
  const answer = await asked.catch((error) => fail(`${host} does not answer: ${error.cause?.message ?? error.message}`));
  const text = await answer.text();
  if (answer.status !== 200) fail(`${what} is not ready: ${text}`);
}

// grpc.health.v1: the empty request asks for the whole server, 0x08 0x01 answers SERVING.
function serving() {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${name}:${port}`).on('error', reject);
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const pieces = [];
    call.on('data', (piece) => pieces.push(piece)).on('error', reject);
    call.on('end', () => {
      session.close();
      resolve(Buffer.concat(pieces).toString('hex') === '00000000020801');
    });
    call.setTimeout(10_000, () => reject(new Error('no answer within 10 s')));
    call.end(Buffer.alloc(5));
  });
}

async function main() {
  await ready(name, 'A replica');
  if (writer !== undefined) await ready(writer, 'The instance that writes the status of sidecars');
  if (isTls === 'true') return console.log(`Replicas are ready; ${name}:${port} speaks TLS and is left to Envoy.`);
  if (!(await serving())) fail(`grpc.health.v1 on ${name}:${port} does not say SERVING.`);
  console.log(`${name}:${port} serves checks.`);
}

main().catch((error) => fail(`${name} does not answer: ${error.cause?.message ?? error.message}`));
