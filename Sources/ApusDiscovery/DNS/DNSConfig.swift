// SPDX-License-Identifier: Apache-2.0

public import ApusCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The service config that the owner of a name publishes in DNS: a TXT record at `_grpc_config.` and the name, whose
/// text is `grpc_config=` and a JSON list of choices.
///
/// The first choice counts that is meant for this client: by its language (`swift`), by chance, by its host's name.
/// The chance is drawn once, so that a client does not change sides at each look. A name without such a record asks
/// for nothing; name servers that do not answer leave the last document in force. Source: gRFC A2.
public struct DNSConfig: ConfigSource {
    /// What errors call the source: the name that is looked up.
    public let name: String
    private let interval: Duration
    private let client: ConfigChoices.Client
    private let lookUp: DNSLookUp
    private let clock: any MonotonicClock

    /// The config of a target, as ``DNSRegistry`` takes it: `dns:///users.example:50051`.
    ///
    /// - Parameters:
    ///   - interval: the time between two questions, at least 30 s.
    ///   - nameServers: numeric addresses; none for those of /etc/resolv.conf.
    ///   - hostName: this machine's, which choices may name; nil for what the system says.
    ///   - random: what decides whether the client belongs to a choice's percentage.
    ///   - clock: the clock of the channel.
    /// - Throws: INVALID_ARGUMENT for a target that is no name.
    public init(
        _ target: String, every interval: Duration = .seconds(300), nameServers: [Endpoint.Address] = [],
        hostName: String? = nil, random: any RandomSource = SplitMixRandom.shared,
        clock: any MonotonicClock = SystemClock()
    ) throws(RPCError) {
        try self.init(
            target, every: interval, hostName: hostName, random: random,
            lookUp: .asking(NameServer.all(nameServers)), clock: clock)
    }

    package init(
        _ target: String, every interval: Duration, hostName: String?, random: any RandomSource, lookUp: DNSLookUp,
        clock: any MonotonicClock
    ) throws(RPCError) {
        name = "_grpc_config.\(try DNSName(target).host)"
        self.interval = max(interval, .seconds(30))
        client = ConfigChoices.Client(
            hostName: hostName ?? Self.systemHostName, percentile: random.index(below: 100))
        self.lookUp = lookUp
        self.clock = clock
    }

    /// The config now, and each that differs from the one before. That it cannot be read is told as often.
    public func documents() -> AsyncStream<Result<[UInt8], RPCError>> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Result<[UInt8], RPCError>.self, bufferingPolicy: .bufferingNewest(configBacklog))
        let task = Task {
            var last: Result<[UInt8], RPCError>?
            while !Task.isCancelled {
                let news = await lookUp.texts(name).flatMap { texts in ConfigChoices.document(texts, client, name) }
                if news != last { continuation.yield(news) }
                last = news
                do { try await clock.sleep(until: clock.now.advanced(by: interval)) } catch { break }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    private static var systemHostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
