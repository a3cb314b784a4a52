// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

@testable import ApusTransport

/// A channel's pool on a loop that its test turns, with servers that the test plays frame by frame.
///
/// Sendable: used by one test's task, which waits for whatever it hands to others.
final class PlayedClient: @unchecked Sendable {
    let loop = ManualLoop()
    let dialer = PlayedDialer()
    let connectivity = Connectivity()
    let handle = EndpointHandle(Endpoint(.memory("a")))
    let pool: ConnectionPool
    let options: TransportOptions

    init(_ configure: (inout TransportOptions) -> Void = { _ in }) {
        var options = TransportOptions()
        options.backoff.jitter = 0
        configure(&options)
        self.options = options
        pool = ConnectionPool(loop: loop, dialer: dialer, options: options, connectivity: connectivity)
    }

    /// Starts a unary call and turns the loop.
    @discardableResult
    func call(
        to handle: EndpointHandle? = nil, among candidates: [EndpointHandle] = [], waitForReady: Bool = false,
        timeout: Duration? = nil, observer: (any Observer)? = nil
    ) async -> PlayedCall {
        let target = handle ?? self.handle
        var call = ClientCall(
            method: EchoService.Methods.echo.descriptor, target: "echo", request: .one(MessageBytes("hello")),
            deadline: timeout.map { CallDeadline(at: loop.now.advanced(by: $0)) } ?? .none, waitForReady: waitForReady,
            observer: observer)
        call.endpoint = target
        if !candidates.isEmpty { call.candidates = Candidates(handles: candidates) }
        let played = PlayedCall(ClientStream(call, loop: loop, limits: ClientStream.Limits(options)))
        await played.start { self.pool.submit($0, to: target) }
        loop.turn()
        return played
    }

    /// Starts several calls, one after the other.
    @discardableResult
    func calls(_ count: Int) async -> [PlayedCall] {
        var calls: [PlayedCall] = []
        for _ in 0..<count { calls.append(await call()) }
        return calls
    }

    /// The server that the oldest unanswered dial reaches: it has sent its SETTINGS, if there are any.
    func accept(_ settings: [UInt16: UInt32]? = [:]) -> PlayedServer {
        let server = PlayedServer(loop)
        dialer.answer(.success(server.io))
        loop.turn()
        if let settings { server.send(.settings(settings), .settingsAck) }
        return server
    }

    /// The oldest unanswered dial fails.
    func refuse(_ reason: String = "connect memory:a: refused") {
        dialer.answer(.failure(ConnectFailure(reason: reason)))
        loop.turn()
    }
}

/// A call whose outcome a test looks at when it likes.
final class PlayedCall: @unchecked Sendable {
    let stream: ClientStream
    private let outcome = Mutex<Task<ClientResponse, any Error>?>(nil)

    init(_ stream: ClientStream) { self.stream = stream }

    var isOver: Bool { stream.isOver }

    fileprivate func start(_ submit: @escaping @Sendable (ClientStream) -> Void) async {
        let hasBegun = Latch()
        let stream = stream
        let task = Task {
            try await withUnsafeThrowingContinuation { (head: ClientStream.Head) in
                if stream.begin(head) { submit(stream) }
                hasBegun.countDown()
            }
        }
        outcome.withLock { $0 = task }
        await hasBegun.wait()
    }

    /// The answer's text, or the error's status. Only for a call that is over.
    var text: String {
        get async {
            guard isOver else { return "not over" }
            do {
                guard case .one(let message, _)? = try await value?.body else { return "no message" }
                return message.text
            } catch {
                return "\(RPCError(wrapping: error).status)"
            }
        }
    }

    var progress: RPCError.Progress? {
        get async { await error?.progress }
    }

    /// Nil for a call that succeeded, or is not over.
    var error: RPCError? {
        get async {
            guard isOver else { return nil }
            do {
                _ = try await value
                return nil
            } catch {
                return RPCError(wrapping: error)
            }
        }
    }

    private var value: ClientResponse? {
        get async throws { try await outcome.withLock { $0 }?.value }
    }
}

/// Keeps what it is asked to connect to, until the test answers.
final class PlayedDialer: Dialer, @unchecked Sendable {
    final class Dial: Dialing {
        let address: Endpoint.Address
        fileprivate var answer: ((Result<any ConnectionIO, ConnectFailure>) -> Void)?
        private(set) var isCancelled = false

        fileprivate init(
            _ address: Endpoint.Address, _ answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
        ) {
            self.address = address
            self.answer = answer
        }

        func cancel() {
            isCancelled = true
            answer = nil
        }
    }

    private(set) var dials: [Dial] = []

    /// Dials that have neither been answered nor cancelled.
    var open: [Dial] { dials.filter { $0.answer != nil } }

    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        let dial = Dial(address, answer)
        dials.append(dial)
        return dial
    }

    func answer(_ result: Result<any ConnectionIO, ConnectFailure>) {
        guard let dial = open.first else { return }
        let answer = dial.answer
        dial.answer = nil
        answer?(result)
    }
}

/// The server's end of a connection, played frame by frame.
final class PlayedServer {
    let io = ScriptedIO()
    private let loop: ManualLoop
    private var unread: [UInt8] = []
    private var hasPreface = false
    /// The frames that the client has sent.
    private(set) var received: [RawFrame] = []

    init(_ loop: ManualLoop) { self.loop = loop }

    func send(_ frames: RawFrame...) { send(frames) }

    func send(_ frames: [RawFrame]) {
        io.deliver(frames.flatMap(\.bytes))
        loop.turn()
    }

    /// Ends the connection.
    func end(_ reason: String = "the peer closed the connection") {
        io.end(reason)
        loop.turn()
    }

    /// The streams on which the client has sent a request, in order.
    var requests: [UInt32] {
        read()
        return received.filter { $0.kind == .headers }.map(\.stream)
    }

    /// How many frames of a kind the client has sent.
    func frames(_ kind: RawFrame.Kind) -> Int {
        read()
        return received.count { $0.kind == kind }
    }

    /// Answers a request.
    func answer(_ stream: UInt32, _ text: String = "fine") {
        send(
            RawFrame.headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
                + [.data(stream, RawPeer.message(Array(text.utf8)))]
                + RawFrame.headers(stream, [("grpc-status", "0")], end: true))
    }

    private func read() {
        unread += io.takeWritten()
        if !hasPreface, unread.count >= RawPeer.preface.count {
            unread.removeFirst(RawPeer.preface.count)
            hasPreface = true
        }
        while hasPreface, unread.count >= 9 {
            let size = Int(unread[0]) << 16 | Int(unread[1]) << 8 | Int(unread[2])
            guard unread.count >= 9 + size else { return }
            let stream = unread[5..<9].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
            received.append(
                RawFrame(type: unread[3], flags: unread[4], stream: stream, payload: Array(unread[9..<9 + size])))
            unread.removeFirst(9 + size)
        }
    }
}

extension RawFrame {
    /// SETTINGS with these values.
    static func settings(_ values: [UInt16: UInt32]) -> RawFrame {
        RawFrame(.settings, values.flatMap { [UInt8($0.key >> 8), UInt8($0.key & 255)] + bigEndian($0.value) })
    }
}

/// RFC 9113, section 6.5.2.
let maximumConcurrentStreams: UInt16 = 3
