/** The folder borders of docs/architecture.md, section "Who may import whom". */
const cores = '^src/(raft|gossip|health|store)/';
const adapters = '^src/(storage|transport|runner|http|telemetry)/';

const deny = (name, from, path, pathNot) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { ...(path && { path }), ...(pathNot && { pathNot }) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    deny('core-strangers', cores, '^src/', '^src/($1|shared|wire)/'),
    deny(
      'cores-are-pure',
      '^src/(raft|gossip|health|store|shared|wire)/',
      '.',
      '^src/|^node_modules/sorted-btree/|^sorted-btree',
    ),
    deny(
      'adapter-strangers',
      adapters,
      '^src/(storage|transport|runner|http|telemetry)/',
      '^src/$1/',
    ),
    deny('adapters-do-not-wire', adapters, '^src/(node|cli|config|main)'),
    deny('shared-is-a-leaf', '^src/shared/', '^src/', '^src/shared/'),
    deny('wire-is-a-leaf', '^src/wire/', '^src/', '^src/(wire|shared)/'),
    deny('cli-is-thin', '^src/cli/', '^src/', '^src/(cli|config|shared|node)/'),
    deny('config-is-a-leaf', '^src/config/', '^src/', '^src/(config|shared)/'),
    deny('node-below-cli', '^src/node/', '^src/(cli|main)'),
    {
      name: 'front-door-only',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: '^src/$1/|^src/[^/]+/index\\.ts$' },
    },
    {
      name: 'main-uses-front-doors',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(cli|config|node)/index\\.ts$' },
    },
    {
      name: 'src-never-imports-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
