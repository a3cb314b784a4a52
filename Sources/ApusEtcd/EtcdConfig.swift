// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import ApusTransport

/// A configuration document under one key of etcd, followed by a watch: a new value is in force as soon as etcd tells
/// it, on all machines.
///
/// ```swift
/// let config = LiveServiceConfig(following: try EtcdConfig("/config/users", [.host("10.0.0.1", port: 2379)]))
/// ```
///
/// A connection that breaks goes on where it was, or with the value that is there now. A key that is missing or gone,
/// and members that cannot be reached, are told as failures: the last good document stays.
public struct EtcdConfig: ConfigSource {
    /// What people read of it in errors: `etcd:` and the key.
    public let name: String
    private let key: String
    private let connect: @Sendable () -> EtcdClient

    /// The document under a key. Nothing is connected before it is read.
    ///
    /// - Parameter members: any of the cluster's members; one that fails makes the next one asked.
    /// - Throws: INVALID_ARGUMENT when there are no members, or the key is empty.
    public init(
        _ key: String, _ members: [Endpoint.Address], options: EtcdOptions = EtcdOptions()
    ) throws(RPCError) {
        guard !members.isEmpty, !key.isEmpty else {
            throw RPCError(
                .invalidArgument, "a document in etcd needs a key and a member's address", progress: .notConnected)
        }
        self.init(key, members, options: options) { HTTP2Transport(options: TransportOptions(options)) }
    }

    package init(
        _ key: String, _ members: [Endpoint.Address], options: EtcdOptions = EtcdOptions(),
        clock: any MonotonicClock = SystemClock(), random: any RandomSource = SplitMixRandom.shared,
        transport: @escaping @Sendable () -> any ClientTransport
    ) {
        name = "etcd:\(key)"
        self.key = key
        connect = {
            EtcdClient(
                members.map { Endpoint($0) }, options: options, transport: transport(), clock: clock, random: random,
                report: { _ in })
        }
    }

    /// The document now, and each later one, over a connection that ends with the stream.
    public func documents() -> AsyncStream<Result<[UInt8], RPCError>> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Result<[UInt8], RPCError>.self, bufferingPolicy: .bufferingNewest(configBacklog))
        let task = Task { [key, connect] in
            let client = connect()
            await KeyWatch(client: client) { continuation.yield($0) }.run(KeyCourse(key: key))
            client.channel.close()
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}

/// Does what a course asks for, until its task is cancelled.
struct KeyWatch: Sendable {
    let client: EtcdClient
    let tell: @Sendable (KeyCourse.Document) -> Void

    func run(_ course: KeyCourse) async {
        var course = course
        while !Task.isCancelled {
            do throws(RPCError) {
                try await take(course.step, &course)
            } catch {
                guard !Task.isCancelled else { return }
                if let failure = course.failed(error) { tell(failure) }
                let wait = ConnectionBackoff.etcd.delay(failures: course.failures, unit: client.random.unit())
                // Cancelled, it throws, and the loop ends.
                try? await client.clock.sleep(until: client.clock.now.advanced(by: wait))
            }
        }
    }

    private func take(_ step: KeyCourse.Step, _ course: inout KeyCourse) async throws(RPCError) {
        switch step {
        case .read(let request):
            if let news = try course.read(await client.range(request)) { tell(news) }
        case .follow(let request):
            try await client.watch(request) { response throws(RPCError) in
                switch try course.received(response) {
                case .none: return true
                case .document(let news): tell(news)
                case .end: return false
                }
                return true
            }
        }
    }
}
