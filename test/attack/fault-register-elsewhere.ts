/** Files that no check passes through, by the reason why none can wait there: how many points each declaration has. */
export interface Elsewhere {
  readonly why: string;
  /** By file: `declaration count`, in the order of the file. */
  readonly files: Readonly<Record<string, string>>;
}

export const ELSEWHERE: readonly Elsewhere[] = [
  {
    why: 'pages for the operator: metrics, health and what is loaded are served apart from checks',
    files: {
      'internal/admin/http-server.ts': 'startHttpServer 2, respond 3, drained 1, answerTo 1, close 2',
      'internal/admin/admin-server.ts': 'startAdminServer 1',
      'internal/admin/shared-scrape.ts': 'SharedScrape.take 2, SharedScrape.#make 1',
      'internal/telemetry/decision-series.ts':
        'DecisionSeries.export 1, DecisionSeries.absorb 1, DecisionSeries.scrape 1, nextTurn 1',
      'internal/telemetry/metrics.ts':
        'Metrics.export 3, Metrics.absorb 2, Metrics.scrape 3, Metrics.#scrapeRegistry 1, Metrics.#families 1, Reading.value 1',
      'internal/telemetry/worker-scrapes.ts':
        'ScrapedWorker.ask 1, WorkerScrapesOptions.workers 1, WorkerScrapes.gather 4, WorkerScrapes.#ask 2',
    },
  },
  {
    why: 'starts and stops the instance: a check finds its parts wired',
    files: {
      'internal/app/agent.ts': 'startAgent 11, makeWorkers 1',
      'internal/app/own-doors.ts': 'startOwnDoors 3',
      'internal/app/readiness.ts': 'Readiness.#first 1, Readiness.built 1',
      'internal/app/admission.ts': 'Admission.#first 1, Admission.#admit 3, Admission.#catchUp 2',
      'internal/app/check-once.ts': 'checkOnce 4',
      'internal/app/dev.ts': 'runDev 8, startFront 1, startDevAgent 1',
      'internal/app/kube-source.ts': 'KubeSource.stop 1, KubeSource.#complete 1',
      'internal/app/lint.ts': 'lintFiles 3',
      'internal/app/policy-files.ts': 'readPolicyFiles 1, readOne 1, readDirectory 1',
      'internal/app/offline.ts': 'loadOffline 2',
      'internal/app/run.ts': 'runAgent 8',
      'internal/app/program-output.ts': 'openProgramOutput 1',
      'internal/app/signals.ts': 'nextSignal 1',
      'internal/telemetry/tracing-sdk.ts': 'Sdk.shutdown 1, startSdk 4',
    },
  },
  {
    why: 'several processes: a worker answers no check before it serves a snapshot, and by none but its own; how it is fed, ended and replaced is in test/workers',
    files: {
      'internal/app/run-worker.ts': 'runWorker 8',
      'internal/app/worker.ts': 'startWorker 9, sharedCounters 3',
      'internal/app/workers.ts': 'Workers.start 6, Workers.#listen 1, Workers.#drain 4',
      'internal/workers/handing-listener.ts': 'startHandingListener 1',
      'internal/workers/main-process.ts': 'MainProcess.constructor 3, MainProcess.sayLast 1',
      'internal/workers/worker-directory.ts': 'makeDirectory 3, holdOpen 2, sweep 1, refuses 1',
      'internal/workers/worker-feed.ts': 'WorkerFeed.caughtUp 1, WorkerFeed.settled 1',
      'internal/workers/worker-pool.ts': 'WorkerPool.#begun 1, WorkerPool.end 2',
      'internal/workers/worker-process.ts': 'WorkerProcess.metrics 1',
    },
  },
  {
    why: 'fetches and runs the Envoy of `postern dev`, beside the agent',
    files: {
      'internal/envoy/admin.ts':
        'EnvoyAdmin.isLive 2, EnvoyAdmin.stats 1, EnvoyAdmin.listenerPort 1, EnvoyAdmin.#json 3',
      'internal/envoy/aside.ts': 'makeAside 7, removeLeftovers 2, remove 1',
      'internal/envoy/child.ts': 'startChild 3',
      'internal/envoy/echo-upstream.ts': 'startEchoUpstream 4, bodyOf 1',
      'internal/envoy/lock.ts': 'withLock 3, take 2',
      'internal/envoy/obtain.ts': 'obtainEnvoy 5, envoyVersion 1, saidVersion 1, usableOnPath 2, fetchWhole 3',
      'internal/envoy/on-path.ts': 'allOnPath 2, onPath 1, isProgram 2',
      'internal/envoy/process.ts': 'startEnvoyWith 4, running 1, untilLive 2',
      'internal/envoy/wheel.ts': 'unpackWheel 7, download 1, pythonWithPip 5, problemOf 1, works 1',
    },
  },
  {
    why: 'the listener, its certificates and connections: what fails there ends connections, and answers no check',
    files: {
      'internal/extauthz/certificates.ts':
        'readCertificates 3, read 1, WatchOptions.onChange 1, WatchOptions.onError 1, watchCertificates 1',
      'internal/listen/open-connections.ts': 'OpenConnections.drain 1, OpenConnections.ended 2',
      'internal/extauthz/listener.ts':
        'ListenerOptions.onConnection 1, ListenerOptions.onDropped 1, ListenerOptions.onError 1, Listener.stop 1, Listener.destroy 1, startListener 1',
      'internal/extauthz/http/drain.ts': 'closed 1, drainConnections 4',
      'internal/extauthz/http/http-door.ts': 'HttpDoor.drain 1, HttpDoorOptions.onRefusedPeer 1, startHttpDoor 5',
      'internal/extauthz/http/unknown-paths.ts': 'UnknownPathsOptions.onUnknown 1',
      'internal/listen/listen.ts': 'listenOn 3, clearStaleSocket 1, isServed 1',
      'internal/extauthz/tls-termination.ts':
        'TlsOptions.onCertificate 1, TlsOptions.onError 1, Handshakes.onSecure 1, Handshakes.onPlain 1, Handshakes.onLate 1, TlsTermination.accept 1, TlsTermination.stop 1, startTls 1, withCertificates 1',
    },
  },
  {
    why: 'answers who asks for health, on the same port as checks',
    files: { 'internal/extauthz/grpc-services.ts': 'Handler 1, Parts.read 1, Parts.write 1, unary 1' },
  },
  {
    why: 'reads objects from the cluster and writes status: a check reads the snapshot that is there',
    files: {
      'internal/app/kind-watches.ts': 'KindWatches.relist 2',
      'internal/app/replica.ts': 'Replica.stop 2, Replica.#refresh 2',
      'internal/kube/apply-status.ts': 'applyStatus 3, read 1',
      'internal/kube/client.ts': 'kubeCall 1, kubeText 2, openStream 7, send 1, textOf 1',
      'internal/kube/connection.ts': 'connect 3, closeConnections 2, makeDispatcher 1, closeLater 2, aborted 1',
      'internal/kube/installed-schemas.ts':
        'InstalledSchemas.#look 1, InstalledSchemas.#compare 1, InstalledSchemas.#isOutdated 1',
      'internal/kube/lease-record.ts': 'readLease 1, writeLease 1, deleteLease 1',
      'internal/kube/lease.ts':
        'LeaseHolder.stop 3, LeaseHolder.#take 1, LeaseHolder.#tryOnce 2, LeaseHolder.#release 2',
      'internal/kube/lines.ts': 'linesOf 1',
      'internal/kube/list-pages.ts': 'listPages 1, currentVersion 1, tryPage 1',
      'internal/kube/reflector.ts':
        'Reflector.#synced 1, Reflector.relist 1, Reflector.#run 4, Reflector.#list 3, Reflector.#watch 4, Reflector.#checkPlace 1',
      'internal/kube/replica-lease.ts':
        'ReplicaLease.renew 1, ReplicaLease.stop 3, ReplicaLease.#run 1, ReplicaLease.#write 4, ReplicaLease.#remove 2',
      'internal/kube/replicas.ts': 'Replicas.sweep 1, Replicas.#remove 1',
      'internal/kube/secret-watches.ts': 'SecretWatches.settled 4, NamedSecret.#settled 1',
      'internal/kube/server-addresses.ts': 'ServerAddresses.refresh 1, ServerAddresses.#look 1',
      'internal/kube/status-reporter.ts': 'StatusReporter.#look 1, StatusReporter.#writeAll 1',
      'internal/kube/status-writer.ts': 'StatusWriter.#write 1',
      'internal/kube/timers.ts': 'pause 1',
      'internal/kube/unanswered-classes.ts':
        'UnansweredClasses.start 1, UnansweredClasses.#turn 1, UnansweredClasses.#look 1',
      'internal/kube/watch-events.ts': 'watchEvents 2, Watchdog.over 1',
    },
  },
  {
    why: 'reads objects from files, in slices: a check reads the snapshot that is there',
    files: {
      'internal/app/file-source.ts': 'FileSource.start 2, FileSource.#locate 1',
      'internal/app/unaccepted-lines.ts': 'UnacceptedLines.tell 2',
      'internal/files/directory.ts':
        'PolicyDirectory.readAtOnce 1, PolicyDirectory.#read 3, PolicyDirectory.#seen 2, PolicyDirectory.#parse 1',
      'internal/files/list-files.ts': 'listFiles 3, isDirectory 1',
      'internal/files/read-text.ts': 'lookAtAll 2, lookAt 1, readText 6, readBounded 1',
      'internal/files/watch.ts': 'watchDirectory 1',
    },
  },
  {
    why: 'gives the event loop its turns while something large is read or written, beside the checks',
    files: { 'internal/core/breather.ts': 'Breathe 1, Turns.breathe 1, inSlices 1' },
  },
  {
    why: 'builds the next snapshot beside the one that checks read',
    files: {
      'internal/match/label-selector.ts': 'LabelMatcher 1',
      'internal/match/path-table.ts': 'Whole.isWanted 1',
      'internal/policy/assign.ts': 'assignHosts 5, assignBy 2',
      'internal/policy/claim-bounds.ts': 'BoundedClaims.problemsOf 1, boundClaims 2',
      'internal/policy/claiming.ts':
        'Claiming.leaves 1, Claiming.hold 1, Claiming.holdRecorded 1, Claiming.noteRecorded 1, Claiming.problemsOf 1, Claiming.take 1, Claiming.lapsedOf 1, HostRule 1',
      'internal/policy/cluster-objects.ts':
        'CompiledCluster.labelsOf 1, ClusterObjects.compile 3, ClusterObjects.#selectingNobody 1, ClusterObjects.#read 1',
      'internal/policy/selected-namespaces.ts':
        'KnownNamespaces.names 1, KnownNamespaces.labelsOf 1, SelectedNamespaces.selectingNobody 1, firstOf 1',
      'internal/policy/compile-records.ts': 'compileRecords 6',
      'internal/policy/host-drafts.ts': 'HostDrafts.table 2',
      'internal/policy/host-grants.ts': 'HostGrants.of 2',
      'internal/policy/lapsed-claims.ts': 'lapseClaims 3, lapseAround 3, heldNow 1',
      'internal/policy/path-agreement.ts': 'PathAgreement.of 4, PathAgreement.keep 1',
      'internal/policy/baselines/baseline-view.ts': 'Labels 1, BaselinesOfBuild.of 1, BaselinesOfBuild.serve 1',
      'internal/policy/missing-references.ts': 'Subjects.hasConsumer 1, Subjects.hasGroup 1',
      'internal/policy/object-report.ts': 'KnownPolicies.has 1',
      'internal/policy/build-snapshot.ts': 'SnapshotInputs.overridesOf 1, SnapshotInputs.breathe 1, buildSnapshot 3',
      'internal/policy/live-specs.ts': 'LiveSpecs.read 2, LiveSpecs.#readOne 1',
      'internal/policy/namespace-objects.ts': 'NamespaceObjects.compile 8, NamespaceObjects.#follow 1, readRole 1',
      'internal/policy/named-secrets.ts': 'NamedSecrets.of 2',
      'internal/policy/namespaces.ts': 'NamespacesOptions.secrets 1, Namespaces.compile 2, Namespaces.#compileOne 1',
      'internal/policy/builder.ts':
        'Built.serve 1, Builder.build 8, Builder.#compile 3, Builder.#hostRule 2, Builder.#reportOthers 1',
      'internal/policy/object-budget.ts': 'ObjectBudgets.over 3, ObjectBudgets.#isAllWithin 1',
      'internal/policy/sorted-by-age.ts': 'sortedByAge 2, merge 1',
      'internal/policy/store.ts':
        'StoreOptions.horizon 1, StoreOptions.onBegin 1, StoreOptions.onSettled 1, StoreOptions.onBuild 1, StoreOptions.onFailure 1, StoreOptions.rest 1, PolicyStore.caughtUp 1, PolicyStore.#buildAll 2, PolicyStore.#build 1',
    },
  },
];
