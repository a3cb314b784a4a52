// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// What a connection needs of the server that it belongs to. Safe from any thread.
protocol ServerConnectionOwner: AnyObject, Sendable {
    var handlers: HandlerCounts { get }
    func connectionClosed(_ connection: ServerConnection)
    /// No handler runs any more, of a server that stops.
    func lastHandlerEnded()
}

/// A client's connection to a server, with the calls on it.
///
/// Sendable: confined to its loop, on which the server's requests are posted.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
    let server: Server
    let options: ServerOptions
    let owner: any ServerConnectionOwner
    let handlers: HandlerCounts
    let tables: RequestHead.Tables
    let slots: HandlerSlots
    let workers: LoopWorkers
    /// Which of its server's connections it is; set once, before anybody else knows it.
    var number = 0
    private var strikes: PingStrikes
    let origin: ServerCall.Origin
    // Unchecked: one thread, and none of its methods calls back.
    @exclusivity(unchecked) private var ready = Deque<ServerStream>()
    private var turnLimit = TurnLimit()
    private var isDraining = false
    // Whether the client was asked if it has read the notice.
    private var hasAsked = false
    // Whether GOAWAY with the last stream is on its way.
    private var hasSaidLast = false

    init(
        _ io: any ConnectionIO, loop: any EventLoop, server: Server, options: ServerOptions,
        owner: any ServerConnectionOwner
    ) {
        self.server = server
        self.options = options
        self.owner = owner
        handlers = owner.handlers
        tables = RequestHead.Tables(server.router, options.compressors)
        workers = loop.workers
        slots = HandlerSlots(
            loop, limit: options.maximumConcurrentStreams, patience: options.handlerPatience)
        strikes = PingStrikes(
            minimum: options.minimumPingInterval, permitsWithoutCalls: options.permitsPingsWithoutCalls)
        origin = ServerCall.Origin(peer: io.peer, identity: io.peerIdentity)
        super.init(io, loop: loop)
        plan = options.plan
    }

    func start() { start(options.settings, handshakeTimeout: options.handshakeTimeout) }

    /// Starts the stream's handler once the batch that is being read was fed to nghttp2.
    func startAfterBatch(_ stream: ServerStream) { ready.append(stream) }

    /// Ends with GOAWAY and nothing after it.
    func terminate(_ code: UInt32) {
        session?.terminate(code: code)
        touch()
    }

    /// Lets calls in flight finish and takes no new ones: GOAWAY with the highest id, a PING, then GOAWAY with the
    /// last id, so that no request on its way is lost. Source: RFC 9113, section 6.8.
    func drain() { drain("the server stops") }

    /// The streams that hold bytes of the budget.
    func holdingStreams() -> [BufferRelief.Candidate] {
        var found: [BufferRelief.Candidate] = []
        session?.forEachStream { stream in
            if let candidate = (stream as? ServerStream)?.held { found.append(candidate) }
        }
        return found
    }

    override func drain(_ reason: String) {
        guard !isDraining, let session else { return }
        isDraining = true
        session.submitShutdownNotice()
        touch()
    }

    // Only now: a PING that is submitted with the notice leaves before it, and its answer says nothing of the notice.
    override func sentGoAway() {
        guard isDraining, !hasAsked else { return }
        hasAsked = true
        session?.submitPing(Self.drainPing)
    }

    private static let drainPing: UInt64 = 0x6472_6169_6e00_0000

    override func openStream(_ id: Int32) -> HTTP2Stream? {
        lastCall = loop.now
        // The client reads in GOAWAY that it was not processed, and makes the call elsewhere.
        guard !hasSaidLast else { return nil }
        streamsStarted += 1
        return ServerStream(self)
    }

    override func receivedPing() {
        guard let session else { return }
        let isTooMany = strikes.receivedPing(
            at: loop.now, hasCalls: session.streamCount > 0, workSent: session.workSent)
        // gRFC A8 fixes the text.
        if isTooMany { session.reject("too_many_pings") }
    }

    override func receivedPingAck(_ payload: UInt64) {
        guard isDraining, payload == Self.drainPing else { return }
        hasSaidLast = true
        session?.submitGoAway()
        touch()
    }

    override func batchEnded() {
        turnLimit.ended(calls: ready.count, io)
        while let stream = ready.popFirst() { slots.start(stream) }
    }

    override func inputFailed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !hasSettings, ForeignProtocol.looksLikeHTTP1(bytes) else { return false }
        let output = loop.output
        ForeignProtocol.answer.withUnsafeBytes { output.append(copying: $0) }
        _ = io.write(output)
        return true
    }

    override func closed() {
        ready.removeAll()
        slots.close()
        owner.connectionClosed(self)
    }
}

/// Clients that came to the wrong port get an answer that they can read.
enum ForeignProtocol {
    static let answer = Array(
        """
        HTTP/1.1 505 HTTP Version Not Supported\r
        Content-Type: text/plain\r
        Connection: close\r
        \r
        This port speaks gRPC over HTTP/2 with prior knowledge: use a gRPC client.\n
        """.utf8)

    static func looksLikeHTTP1(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let methods: [StaticString] = ["GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "DELETE ", "CONNECT ", "PATCH "]
        return methods.contains { bytes.starts(with: $0) }
    }
}
