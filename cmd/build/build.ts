// Bundles the agent for the image: a small file that takes signals, one with the rest, those that are loaded on demand,
// and the protos, laid out so that `../../proto` means the same from `dist/cmd/postern` as from `internal/extauthz`.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../..');
const OUT = process.argv[2] ?? join(ROOT, 'dist');

// Bundled CommonJS packages expect these names; an ES module has none of them.
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { dirname as __dirnameOf } from 'node:path';",
  "import { fileURLToPath as __fileOf } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileOf(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join('\n');

rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: [join(ROOT, 'cmd/postern/main.ts')],
  outdir: join(OUT, 'cmd/postern'),
  splitting: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minifyWhitespace: true,
  minifySyntax: true,
  // Names stay as they are written. Short ones that are kept by "keepNames" would be set again for every closure, in
  // each check.
  minifyIdentifiers: false,
  sourcemap: false,
  legalComments: 'linked',
  banner: { js: BANNER },
  logLevel: 'warning',
});
cpSync(join(ROOT, 'proto'), join(OUT, 'proto'), { recursive: true });
const health = dirname(createRequire(import.meta.url).resolve('grpc-health-check/package.json'));
mkdirSync(join(OUT, 'proto/health/v1'), { recursive: true });
cpSync(join(health, 'proto/health/v1/health.proto'), join(OUT, 'proto/health/v1/health.proto'));
cpSync(join(ROOT, 'package.json'), join(OUT, 'package.json'));
