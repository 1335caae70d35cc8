/**
 * Every place on the path of a check where it can wait or ask what can fail, by file, declaration and ordinal. A list
 * names the injections (`at` in the `…-faults.ts` files beside this one) that put a fault there; a text says why no
 * check can come to harm there. Files that no check passes through are in `fault-register-elsewhere.ts`.
 *
 * Evaluators that answer at once get what throws; those that may wait, or whose answer is judged by its truth, get what
 * throws, rejects, never answers and answers nothing.
 */
export type Entry = readonly string[] | string;

const AT_COMPILE = 'asked when a policy arrives, never in a check';
const AT_BUILD = 'awaited while the next snapshot is built, never in a check';
const AT_START = 'runs when the door starts or stops; no check is there yet, or any more';
const IN_EXPRESSION = [
  'closure of an expression',
  'closure of a header',
  'expression of an allow',
  'expression of a deny',
];
const FETCH = ['fetch of keys', 'answer of the issuer'];

export const ON_PATH: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  'internal/core/attributes.ts': {
    'Attributes.metadata port 1': ['expression of an allow', 'expression of a deny', "expression of a limit's key"],
    'Attributes.routeMetadata port 1': ['route metadata'],
    'HeaderFields.get port 1': ['header fields'],
    'HeaderFields.names port 1': ['header fields'],
  },
  'internal/core/clock.ts': {
    'Clock.wallMs port 1': ['clock'],
    'Clock.monotonicMs port 1': ['clock', 'telling: clock of the observer', 'deadline'],
  },
  'internal/core/evaluation.ts': {
    'Step port 1': [
      'step 1',
      'step 2',
      'step 3',
      'step 4',
      'step 5',
      'step 6',
      'step 7',
      'step 8',
      'override step 1',
      'override step 2',
      'override step 3',
      'override step 4',
      'override step 5',
      'override step 6',
      'override step 7',
    ],
    'ConsumerIndex.find port 1': ['consumers'],
    'RoleIndex.rolesOf port 1': ['roles in an expression'],
    'RoleIndex.permits port 1': ['roles in an allow'],
    'RoleIndex.isHeldForDeny port 1': ['roles in a deny'],
  },
  'internal/core/request.ts': {
    'Request.metadata port 1': ["expression of a limit's cost", 'expression of a header'],
  },
  'internal/core/vocabulary.ts': {
    'ScalarAttribute.read port 1': IN_EXPRESSION,
    'ScalarAttribute.neverEqual port 1': AT_COMPILE,
    'MapAttribute.lookup port 1': IN_EXPRESSION,
    'MapAttribute.has port 1': IN_EXPRESSION,
    'MapAttribute.keys port 1': IN_EXPRESSION,
    'MapAttribute.keyProblem port 1': IN_EXPRESSION,
  },
  'internal/counters/counter-rows.ts': {
    'CounterRowsOptions.onEvict port 1': ['eviction of a counter'],
  },
  'internal/counters/key-index.ts': {
    'WrittenKeys.bytesOf port 1': ['counter store'],
    'WrittenKeys.placeOf port 1': ['counter store'],
  },
  'internal/counters/peers/ask-frames.ts': {
    'CalendarNamed port 1': 'asked by the owner, who fails the take or the connection: peer-faults.test.ts',
  },
  'internal/counters/peers/owner-link.ts': {
    'OwnerLinkOptions.onTrouble port 1': 'told of a connection between workers that ends',
    'OwnerLink.#opened Promise.withResolvers 1': AT_START,
    'OwnerLink.#drop Promise.withResolvers 1': AT_START,
  },
  'internal/counters/peers/owner-server.ts': {
    'OwnerServerOptions.onTrouble port 1': 'told of a connection between workers that ends',
    'OwnerServer.listen Promise.withResolvers 1': AT_START,
    'OwnerServer.listen await 1': AT_START,
    'OwnerServer.close Promise.withResolvers 1': AT_START,
    'OwnerServer.close await 1': AT_START,
  },
  'internal/counters/peers/peer-counters.ts': {
    'PeerCountersOptions.onTrouble port 1': 'told of a connection between workers that ends',
    'PeerCounters.open await 1': AT_START,
    'PeerCounters.connected await 1': AT_START,
    'PeerCounters.connected Promise.all 1': AT_START,
    'PeerCounters.close await 1': AT_START,
  },
  'internal/counters/peers/pending-asks.ts': {
    'PendingAsks.add new Promise 1': 'ends by an answer, the end of the connection or a stall: peer-faults.test.ts',
  },
  'internal/extauthz/check.ts': {
    'CheckOptions.notNow port 1': ['admission'],
    'DoorCall.isCancelled port 1': ['caller gone', 'signs of the caller'],
    'DoorCall.onCancel port 1': ['caller goes away', 'signs of the caller', 'connection'],
    'CheckBytes port 1': ['transport'],
    'Decider.check port 1': ['decider', 'encoder'],
    'Speech.read port 1': ['dialect'],
    'Speech.refusalOf port 1':
      'reads one member of what `read` made; what throws there is the last resort, as for `write`',
    'Speech.adapt port 1': ['encoder'],
    'Speech.write port 1': ['encoder', 'dialect'],
    'CheckOptions.newDecisionId port 1': ['decision id'],
    'Checker.#later Promise.withResolvers 1': ['decider', "caller's deadline", 'caller goes away', 'observer'],
    'Checker.#later .then 1': ['decider', 'encoder', 'clock'],
  },
  'internal/extauthz/grpc-door.ts': {
    'GrpcDoorOptions.random port 1': AT_START,
    'GrpcDoorOptions.onError port 1': 'told of the listener, not of a check',
    'GrpcDoorOptions.onEnding port 1': 'told of a connection that ends, whatever becomes of the telling',
    'GrpcDoorOptions.onForeign port 1': 'told of a connection that is none of HTTP/2',
    'GrpcDoor.setServing port 1': AT_START,
    'GrpcDoor.drain port 1': AT_START,
    'startGrpcDoor await 1': AT_START,
    'checkHandler .then 1': ['transport', 'connection'],
    'addReflection await 1': AT_START,
  },
  'internal/extauthz/open-door.ts': {
    'DoorServer.ended port 1': AT_START,
    'DoorServer.drain port 1': AT_START,
    'DoorServer.stop port 1': AT_START,
    'Behind.accept port 1': AT_START,
    'openDoor await 1': AT_START,
    'openDoor await 2': AT_START,
    'DrainTimes.leftMs port 1': AT_START,
    'drain await 1': AT_START,
    'drain await 2': AT_START,
  },
  'internal/extauthz/native-door.ts': {
    'NativeDoorOptions.onRefused port 1': 'told of a call that is refused, whatever becomes of the telling',
    'startNativeDoor await 1': AT_START,
    'startNativeDoor await 2': AT_START,
    'startNativeDoor await 3': AT_START,
    'startNativeDoor .catch 1': AT_START,
    'startNativeDoor Promise.all 1': AT_START,
    'startNativeDoor .then 1': AT_START,
    'checkMethod .then 1': ['transport, native', 'connection, native'],
  },
  'internal/http2/call.ts': {
    'Call.#later .then 1': ['transport, native', 'connection, native'],
  },
  'internal/extauthz/http/dialect.ts': {
    'Dialect.read port 1': ['dialect'],
    'Dialect.timeoutMs port 1': ['dialect'],
    'Dialect.statusOf port 1': ['dialect'],
  },
  'internal/extauthz/http/http-body.ts': { 'readBody Promise.withResolvers 1': ['connection over HTTP'] },
  'internal/extauthz/http/http-check.ts': { 'CheckHttp port 1': ['transport over HTTP'] },
  'internal/extauthz/http/http-handler.ts': {
    'HttpHandlerOptions.onError port 1': 'told of an answer that failed, when it is one no more',
    'HttpHandler.handle .then 1': ['transport over HTTP'],
    'HttpHandler.handle .catch 1': ['transport over HTTP'],
    'HttpHandler.#answerTo .then 1': ['connection over HTTP'],
  },
  'internal/extauthz/http/trusted-peers.ts': {
    'TrustedPeersOptions.onRefused port 1': 'told of a peer that is refused whatever becomes of the telling',
  },
  'internal/keys/discovery.ts': {
    'discoverKeys await 1': ['discovery', 'discovery over the network'],
  },
  'internal/keys/key-sources.ts': {
    'KeySourcesOptions.random port 1': ['jitter of a fetch'],
    'KeySourcesOptions.observe port 1': ['report of a fetch'],
    'createKeySources await 1': ['discovery over the network'],
  },
  'internal/keys/namespace-keys.ts': {
    'NamespaceKeys.fetch await 1': FETCH,
  },
  'internal/keys/outbound.ts': {
    'ForbiddenAddresses.refresh port 1': ["look-up of the API server's addresses"],
    'OutboundClient.get await 1': ["look-up of the API server's addresses"],
    'OutboundClient.get Promise.race 1': ["look-up of the API server's addresses"],
    'OutboundClient.get await 2': ['connection to the issuer', 'answer of the issuer'],
    'OutboundClient.get await 3': ['answer of the issuer'],
  },
  'internal/keys/prefetch.ts': {
    'Prefetch.#fetch .catch 1': ['fetch ahead'],
    'Prefetch.#fetch .finally 1': ['fetch ahead'],
  },
  'internal/keys/remote-keys.ts': {
    'RemoteKeysOptions.locate port 1': ['place of keys', 'discovery'],
    'RemoteKeysOptions.get port 1': FETCH,
    'RemoteKeysOptions.random port 1': ['jitter of a fetch'],
    'RemoteKeysOptions.observe port 1': ['report of a fetch'],
    'RemoteKeys.current .catch 1': ['refresh behind the check'],
    'RemoteKeys.fetch await 1': FETCH,
    'RemoteKeys.#start .finally 1': FETCH,
    'RemoteKeys.#load await 1': FETCH,
    'RemoteKeys.#load await 2': ['place of keys', 'discovery', ...FETCH],
  },
  'internal/match/expression/dear-parts.ts': { 'Pending.make port 1': AT_COMPILE },
  'internal/match/expression/expression.ts': {
    'Expression.evaluate port 1': IN_EXPRESSION,
    'Expression.text port 1': ['closure of a header', 'expression of a header'],
    'Expression.key port 1': ["expression of a limit's key"],
  },
  'internal/match/expression/functions.ts': { 'Apply port 1': IN_EXPRESSION },
  'internal/match/expression/names.ts': {
    'Names.resolve port 1': AT_COMPILE,
    'Names.isPrefix port 1': AT_COMPILE,
  },
  'internal/match/expression/metered-search.ts': { 'Search port 1': IN_EXPRESSION },
  'internal/match/expression/node.ts': {
    'Run port 1': IN_EXPRESSION,
    'RunSmall port 1': IN_EXPRESSION,
    'Node.epochMs port 1': IN_EXPRESSION,
    'Node.neverEqual port 1': AT_COMPILE,
  },
  'internal/match/expression/state-memory.ts': {
    'States.clearCache port 1': 'empties two maps of the library, after a search',
  },
  'internal/match/expression/source.ts': { 'Source.explain port 1': AT_COMPILE },
  'internal/match/expression/time-field.ts': { 'Field.ofTime port 1': IN_EXPRESSION },
  'internal/match/expression/time.ts': { 'Zone.offsetMs port 1': IN_EXPRESSION },
  'internal/match/expression/value.ts': {
    'MapSource.get port 1': IN_EXPRESSION,
    'MapSource.has port 1': IN_EXPRESSION,
    'MapSource.keys port 1': IN_EXPRESSION,
  },
  'internal/match/path-table.ts': {
    'Search.isWanted port 1': 'a function of the permissions of roles, which waits for nothing: role-index.test.ts',
  },
  'internal/match/path-template.ts': { 'PathMatcher.match port 1': ['path matcher'] },
  'internal/match/label-selector.ts': { 'LabelMatcher port 1': AT_BUILD },
  'internal/phases/authn/authn.ts': { 'prover .then 1': ['first keys', 'verification', 'consumers'] },
  'internal/phases/authn/compile.ts': { 'ReadCarrier.claim port 1': ['token cache'] },
  'internal/phases/authn/consumer-keys.ts': {
    'ConsumerKeys.compile await 1': AT_BUILD,
    'ConsumerKeys.compile await 2': AT_BUILD,
    'ConsumerKeys.compile await 3': AT_BUILD,
    'ConsumerKeys.compile await 4': AT_BUILD,
    'ConsumerKeys.compile await 5': AT_BUILD,
    'ConsumerKeys.compile await 6': AT_BUILD,
    'readChanges await 1': AT_BUILD,
    'HoldersNow.of await 1': AT_BUILD,
    'spoiledBy await 1': AT_BUILD,
  },
  'internal/phases/authn/layered-map.ts': {
    'LayeredMap.with await 1': AT_BUILD,
    'LayeredMap.with await 2': AT_BUILD,
    'LayeredMap.with await 3': AT_BUILD,
    'LayeredMap.with await 4': AT_BUILD,
    'copied await 1': AT_BUILD,
  },
  'internal/phases/authn/consumers.ts': {
    'SecretLookup port 1': AT_COMPILE,
  },
  'internal/phases/authn/jwt.ts': {
    'verifyAnew await 1': ['first keys'],
    'verifyAnew await 2': ['verification'],
    'verifyAnew await 3': ['newer keys'],
    'verifyAnew await 4': ['verification by newer keys'],
  },
  'internal/phases/authn/key-source.ts': {
    'KeySource.current port 1': ['current keys'],
    'KeySource.fetch port 1': ['first keys', 'newer keys'],
    'KeySources.byDiscovery port 1': AT_COMPILE,
    'KeySources.byUrl port 1': AT_COMPILE,
    'KeySources.inline port 1': AT_COMPILE,
  },
  'internal/phases/authn/verify-token.ts': {
    'verifyWith await 1': ['verification', 'verification by newer keys'],
    'verifyOne await 1': ['verification', 'verification by newer keys'],
  },
  'internal/phases/authz/authz.ts': { 'Refuse port 1': ['step 8', 'override step 7'] },
  'internal/phases/authz/bindings.ts': {
    'Bindings.identityRoles port 1': ['roles in an allow', 'roles in a deny'],
    'Bindings.peerRoles port 1': ['roles in an allow', 'roles in a deny'],
    'compileBindings await 1': AT_BUILD,
  },
  'internal/phases/authz/components.ts': { 'components await 1': AT_BUILD },
  'internal/phases/authz/inheritance.ts': {
    'compileInheritance for await 1': AT_BUILD,
    'settle await 1': AT_BUILD,
    'compileInheritance await 1': AT_BUILD,
    'compileInheritance await 2': AT_BUILD,
    'compileInheritance await 3': AT_BUILD,
  },
  'internal/phases/authz/permissions.ts': { 'compilePermissions await 1': AT_BUILD },
  'internal/phases/authz/role-index.ts': {
    'compileRoles await 1': AT_BUILD,
    'compileRoles await 2': AT_BUILD,
    'compileRoles await 3': AT_BUILD,
  },
  'internal/phases/ratelimit/answer.ts': {
    'ask .then 1': ['counter store', 'counter store forgets'],
    'askSpare .then 1': ['local store after the shared one'],
    'leftIn .catch 1': 'asks what is left, and changes no answer when it cannot be said: ratelimit.test.ts',
  },
  'internal/phases/ratelimit/audited-limit.ts': {
    'AuditedLimit.count .then 1': ['local store of an audited limit'],
    'AuditedLimit.#takeFrom .then 1': ['local store of an audited limit'],
  },
  'internal/phases/ratelimit/counter-store.ts': {
    'Calendar port 1': ['counter store'],
    'CounterStore.take port 1': ['counter store', 'counter store forgets', 'local store after the shared one'],
    'CounterStore.giveBack port 1': ['give back'],
  },
  'internal/phases/ratelimit/loan.ts': {
    'LoanTerms.isUsed port 1': 'a settlement that throws gives nothing back, and changes no decision',
    'LoanTerms.giveBack port 1': ['give back'],
  },
  'internal/phases/ratelimit/stage-step.ts': {
    'StageStep.run Promise.all 1': ['local store of an audited limit'],
    'StageStep.run .then 1': ['local store of an audited limit'],
    'StageStep.run .then 2': ['counter store'],
    'StageStep.#take .then 1': ['counter store', 'counter store forgets'],
    'StageStep.#takeLocalFirst .then 1': ['local store beside a shared limit', 'shared store beside a local limit'],
    'StageStep.#takeShared .then 1': ['shared store beside a local limit'],
    'StageStep.#repeat Promise.all 1': 'waits for what never rejects: ratelimit.test.ts',
    'StageStep.#repeat .then 1': 'tells what is left, and changes no answer: ratelimit.test.ts',
  },
  'internal/phases/ratelimit/take-once.ts': {
    'Taker.take port 1': ['counter store', 'local store of an audited limit'],
    'Taker.repeat port 1': 'answers as the first of two equal checks was answered: ratelimit.test.ts',
    'TakeOnce.run .then 1': ['counter store'],
    'TakeOnce.#again .then 1': 'passes on what the first of two equal checks came to: ratelimit.test.ts',
    'giveBack .catch 1': ['give back'],
  },
  'internal/policy/checked.ts': {
    'CheckCall.isCancelled port 1': ['caller gone', 'signs of the caller'],
    'CheckTrace.startPhase port 1': ['telling: phases of a span'],
    'CheckTrace.endPhase port 1': ['telling: phases of a span'],
  },
  'internal/policy/evaluate.ts': {
    'EngineOptions.newDecisionId port 1': ['decision id'],
    'Engine.#wait await 1': ['step 1', 'clock', 'deadline', 'caller gone'],
  },
  'internal/policy/wait.ts': {
    'withDeadline new Promise 1': ['step 1', 'clock'],
    'withDeadline .then 1': ['step 1', 'deadline'],
    'withDeadline .finally 1': ['step 1', 'clock'],
  },
  'internal/policy/phases.ts': {
    'Row.own port 1': AT_COMPILE,
    'Row.held port 1': AT_BUILD,
    'ORDER own 1': ['step 1'],
    'ORDER own 2': ['step 2'],
    'ORDER own 3': ['step 3'],
    'ORDER own 4': ['step 4'],
    'ORDER own 5': ['step 5'],
    'ORDER own 6': ['step 6'],
    'ORDER own 7': ['step 7'],
    'ORDER own 8': ['step 8'],
    'ORDER held 1': ['override step 1'],
    'ORDER held 2': ['override step 2'],
    'ORDER held 3': ['override step 3'],
    'ORDER held 4': ['override step 4'],
    'ORDER held 5': ['override step 5'],
    'ORDER held 6': ['override step 6'],
    'ORDER held 7': ['override step 7'],
  },
  'internal/policy/policy-record.ts': {
    'CompileOptions.defaultsOf port 1': AT_COMPILE,
  },
  'internal/policy/newest-spec.ts': { 'NewestOptions.take port 1': AT_COMPILE },
  'internal/policy/recorded-spec.ts': {
    'RecordReader port 1': AT_COMPILE,
    'RestoreOptions.compile port 1': AT_COMPILE,
  },
  'internal/telemetry/log.ts': {
    'Log.error port 1': ['telling: log of faults'],
    'Log.warn port 1': 'never written to by a check',
    'Log.info port 1': 'never written to by a check',
    'Log.debug port 1': 'never written to by a check',
    'Log.decision port 1': ['telling: log'],
  },
  'internal/telemetry/observer.ts': {
    'ObserverOptions.random port 1': 'drawn for an allow whose answer is made, to choose whether it is logged',
  },
  'internal/telemetry/output.ts': {
    'Output.write port 1': ['telling: log'],
    'Output.forward port 1': 'lines of workers, in the process that answers no check',
    'Output.close port 1': AT_START,
    'DescriptorOutput.close Promise.withResolvers 1': AT_START,
    'DescriptorOutput.close await 1': AT_START,
  },
  'internal/telemetry/tracing.ts': {
    'NamedValues.get port 1': ['telling: begin of a span'],
    'CheckSpan.end port 1': ['telling: end of a span'],
    'Tracing.begin port 1': ['telling: begin of a span'],
    'Tracing.shutdown port 1': AT_START,
    'startTracing await 1': AT_START,
    'startTracing await 2': AT_START,
  },
};
