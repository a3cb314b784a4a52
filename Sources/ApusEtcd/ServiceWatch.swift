// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery
import ApusTransport
import Synchronization

/// Follows one service for all who watch it through the same registry.
final class ServiceWatch: Sendable {
    private struct State {
        var feeds: [ObjectIdentifier: RegistryFeed] = [:]
        var version: UInt64 = 0
        /// The newest list; before there is one, why there is none.
        var newest: RegistryUpdate?
        var task: Task<Void, Never>?
    }

    private let service: String
    private let client: EtcdClient
    private let state = Mutex(State())

    init(_ service: String, _ client: EtcdClient) {
        self.service = service
        self.client = client
    }

    /// Brings the updates to a feed as well.
    func add(_ feed: RegistryFeed) {
        state.withLock { state in
            state.feeds[ObjectIdentifier(feed)] = feed
            if state.task == nil { state.task = Task { await self.run() } }
        }
    }

    /// Brings a feed what is known already.
    func greet(_ feed: RegistryFeed) {
        let (newest, version) = state.withLock { ($0.newest, $0.version) }
        if let newest { feed.publish(newest, version: version) }
    }

    /// - Returns: whether nobody watches any more.
    func remove(_ feed: RegistryFeed) -> Bool {
        state.withLock { state in
            state.feeds[ObjectIdentifier(feed)] = nil
            return state.feeds.isEmpty
        }
    }

    /// Ends it: nobody is told anything more.
    func end() {
        let (feeds, task) = state.withLock { state in (Array(state.feeds.values), state.task) }
        for feed in feeds { feed.cancel() }
        task?.cancel()
    }

    private func publish(_ update: RegistryUpdate) {
        let (feeds, version) = state.withLock { state in
            state.version += 1
            if case .failure = update, case .success = state.newest {} else { state.newest = update }
            return (Array(state.feeds.values), state.version)
        }
        for feed in feeds { feed.publish(update, version: version) }
    }

    private func run() async {
        var course = WatchCourse(service: service, maximumInstances: client.options.maximumInstances)
        while !Task.isCancelled {
            do throws(RPCError) {
                try await take(course.step, &course)
            } catch {
                guard !Task.isCancelled else { return }
                await failed(error, &course)
            }
        }
    }

    private func take(_ step: WatchCourse.Step, _ course: inout WatchCourse) async throws(RPCError) {
        defer { tell(&course) }
        switch step {
        case .list(let request):
            if let endpoints = try course.listed(await client.range(request)) { publish(.success(endpoints)) }
        case .follow(let request):
            try await client.watch(request) { response throws(RPCError) in
                defer { tell(&course) }
                switch try course.received(response) {
                case .none: return true
                case .update(let endpoints): publish(.success(endpoints))
                case .end: return false
                }
                return true
            }
        }
    }

    private func failed(_ error: RPCError, _ course: inout WatchCourse) async {
        if course.failed(error) {
            client.report("etcd: the watch of '\(service)' failed: \(error)")
            publish(.failure(error))
        }
        let wait = ConnectionBackoff.etcd.delay(failures: course.failures, unit: client.random.unit())
        // Cancelled, it throws, and the loop ends.
        try? await client.clock.sleep(until: client.clock.now.advanced(by: wait))
    }

    private func tell(_ course: inout WatchCourse) {
        for problem in course.takeProblems() { client.report(problem) }
    }
}
