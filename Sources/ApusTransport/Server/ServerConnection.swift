// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// What a connection needs of the server that it belongs to. Immutable but for counters; safe from any thread.
protocol ServerConnectionOwner: AnyObject, Sendable {
    /// Where a service's handlers run; nil for the connection's loop.
    func executor(for entry: Router.Entry) -> (any TaskExecutor)?
    func connectionClosed(_ connection: ServerConnection)
    func handlerStarted()
    func handlerEnded()
}

/// A client's connection to a server: one byte stream, one HTTP/2 session, the calls on it.
///
/// Sendable: confined to its loop, on which the server's requests are posted.
final class ServerConnection: @unchecked Sendable {
    let loop: any EventLoop
    let io: any ConnectionIO
    let server: Server
    let options: ServerOptions
    private(set) var session: HTTP2Session?
    let owner: any ServerConnectionOwner
    private var ready: [ServerStream] = []
    private var isTouched = false
    private var isWriting = false
    private var isDraining = false
    private var hasSettings = false
    private lazy var handshake = LoopTimer { [unowned self] in self.close() }

    // A slice of input, so that what it provokes is looked at in between.
    private static let slice = 16 * 1024

    init(
        _ io: any ConnectionIO, loop: any EventLoop, server: Server, options: ServerOptions,
        owner: any ServerConnectionOwner
    ) {
        self.io = io
        self.loop = loop
        self.server = server
        self.options = options
        self.owner = owner
    }

    func start() {
        do throws(HTTP2Error) {
            session = try HTTP2Session(options.settings, delegate: self)
        } catch {
            return close()
        }
        loop.schedule(handshake, at: loop.now.advanced(by: options.handshakeTimeout))
        io.start(self)
        touch()
    }

    /// Asks for a flush at the end of this turn.
    func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop.flushAtEndOfTurn(self)
    }

    func startAfterBatch(_ stream: ServerStream) { ready.append(stream) }

    func executor(for entry: Router.Entry) -> any TaskExecutor { owner.executor(for: entry) ?? loop }

    func streamClosed() { touch() }

    /// Ends with GOAWAY and nothing after it.
    func terminate(_ code: UInt32) {
        session?.terminate(code: code)
        touch()
    }

    /// Lets calls in flight finish and takes no new ones: GOAWAY with the highest id, a PING, then GOAWAY with the
    /// last id, so that no request on its way is lost. Source: RFC 9113, section 6.8.
    func drain() {
        guard !isDraining, let session else { return }
        isDraining = true
        session.submitShutdownNotice()
        session.submitPing(Self.drainPing)
        touch()
    }

    private static let drainPing: UInt64 = 0x6472_6169_6e00_0000

    /// Closes at once; calls in flight are cancelled.
    func close() {
        guard let session else { return }
        self.session = nil
        loop.cancel(handshake)
        ready.removeAll()
        session.close(code: HTTP2ErrorCode.cancel)
        io.close()
        owner.connectionClosed(self)
    }

    private func startReady() {
        while !ready.isEmpty {
            let batch = ready
            ready.removeAll(keepingCapacity: true)
            for stream in batch { stream.startHandler() }
        }
    }
}

extension ServerConnection: ConnectionIOHandler {
    func ioReceived(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty, let session {
            let slice = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.slice))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.slice))
            do throws(HTTP2Error) {
                try session.receive(slice)
            } catch {
                return failed(slice)
            }
        }
        startReady()
        touch()
    }

    func ioDrained() {
        isWriting = false
        touch()
    }

    func ioEnded(_ reason: String) { close() }

    // What nghttp2 cannot go on with: mostly a client that speaks something else.
    private func failed(_ bytes: UnsafeRawBufferPointer) {
        if !hasSettings, ForeignProtocol.looksLikeHTTP1(bytes) {
            let output = loop.output
            ForeignProtocol.answer.withUnsafeBytes { output.append(copying: $0) }
            _ = io.write(output)
        } else {
            flush()
        }
        close()
    }
}

extension ServerConnection: TurnFlusher {
    func flush() {
        isTouched = false
        guard let session, !isWriting else { return }
        let output = loop.output
        do throws(HTTP2Error) {
            repeat {
                try session.drain(into: output)
                if output.isEmpty { break }
                isWriting = !io.write(output)
            } while !isWriting
        } catch {
            output.reset()
            return close()
        }
        if !isWriting, session.isFinished { close() }
    }
}

extension ServerConnection: HTTP2SessionDelegate {
    func openStream(_ id: Int32) -> HTTP2Stream? { ServerStream(self) }

    func receivedSettings() {
        guard !hasSettings else { return }
        hasSettings = true
        loop.cancel(handshake)
    }

    func receivedGoAway(lastStream: Int32, code: UInt32, debug: String) {}

    func receivedPingAck(_ payload: UInt64) {
        guard isDraining, payload == Self.drainPing else { return }
        session?.submitGoAway()
        touch()
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
