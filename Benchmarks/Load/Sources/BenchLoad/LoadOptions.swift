// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser

/// The kind of calls.
public enum Mode: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// A call with one message either way.
    case unary
    /// Streams on which messages go there and back.
    case chat
    /// Calls that are answered with many messages.
    case download
    /// Calls with many messages.
    case upload
    /// Connections with one call each, then silence.
    case idle
}

/// The flags that all load generators have.
public struct LoadOptions: ParsableArguments {
    /// What a generator does, for its help.
    public static let discussion = """
        An operation is a call (unary), a message there and back (chat), a message received (download) or sent \
        (upload: calls of 1,000 messages). Latency is that of the operation for unary and chat, of the whole call for \
        download and upload. After a second of warm-up it measures and prints one line of JSON. Exit status 1: there \
        were errors.
        """

    /// The server's port on 127.0.0.1.
    @Option(help: "The server's port on 127.0.0.1.")
    public var port: Int

    /// unary, chat, download or upload; idle makes connections and one call on each.
    @Option(help: "unary, chat, download or upload; idle makes connections and one call on each.")
    public var mode = Mode.unary

    /// Calls, or streams, in flight.
    @Option(help: "Calls, or streams, in flight.")
    public var concurrency = 1

    /// Connections.
    @Option(help: "Connections.")
    public var connections = 1

    /// Seconds of measurement.
    @Option(help: "Seconds of measurement.")
    public var seconds = 5.0

    /// Bytes of each message's payload.
    @Option(help: "Bytes of each message's payload.")
    public var payload = 16

    /// The server's process, whose processor time is told, too.
    @Option(help: "The server's process, whose processor time is told, too.")
    public var pid: Int32?

    /// End after this many operations, without a warm-up: what counting instructions needs.
    @Option(help: "End after this many operations, without a warm-up: what counting instructions needs.")
    public var calls: Int?

    /// As ArgumentParser wants it.
    public init() {}

    /// Refuses what cannot be measured.
    public func validate() throws {
        guard concurrency > 0, connections > 0, seconds > 0, (0...64 << 20).contains(payload), calls ?? 1 > 0 else {
            throw ValidationError("concurrency, connections, seconds and calls above 0, payload up to 64 MiB")
        }
    }
}
