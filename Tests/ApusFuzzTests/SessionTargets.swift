// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

private let frameLimit = 1 << 16

/// A client's bytes: requests are read as a server reads them, and answered.
@Sendable func fuzzServerSession(_ bytes: UnsafeRawBufferPointer) throws {
    let opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}"
    try fuzzSession(HTTP2Settings(role: .server), opening: opening, bytes) { _, _ in }
}

/// A server's bytes, in answer to three requests.
@Sendable func fuzzClientSession(_ bytes: UnsafeRawBufferPointer) throws {
    let opening = "\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}"
    try fuzzSession(HTTP2Settings(role: .client), opening: opening, bytes) { session, peer in
        var request = HeaderBlock()
        request.add(":method", "POST")
        request.add(":scheme", "http")
        request.add(":path", "/a.B/C")
        request.add(":authority", "a")
        for _ in 0..<3 { try? session.submitRequest(request, stream: peer.made()) }
    }
}

private func fuzzSession(
    _ settings: HTTP2Settings, opening: String, _ bytes: UnsafeRawBufferPointer,
    prepare: (HTTP2Session, FuzzedPeer) -> Void
) throws {
    var input = FuzzInput(bytes)
    let choices = input.byte()
    let peer = FuzzedPeer(role: settings.role)
    guard let session = try? HTTP2Session(settings, delegate: peer) else { throw FuzzFailure("no session") }
    peer.session = session
    prepare(session, peer)
    var sent = 0
    do {
        sent += try peer.drain()
        if choices & 1 == 0 {
            var opening = opening
            try opening.withUTF8 { try session.receive(UnsafeRawBufferPointer($0), at: 0) }
        }
        var now: Int64 = 0
        for piece in input.pieces(of: Int(choices >> 1) + 1) {
            now += 1_000_000
            try session.receive(piece, at: now)
            sent += try peer.drain()
        }
    } catch {
        sent += (try? peer.drain()) ?? 0
    }
    try require(session.streamCount <= 100, "\(session.streamCount) streams are open")
    session.close()
    peer.session = nil
    try require(peer.open == 0, "\(peer.open) streams were not told of their end")
    // Each byte that came can provoke a RST_STREAM at most, or an answer of a few dozen bytes for each frame.
    try require(sent <= 65_536 + 64 * bytes.count, "\(sent) bytes were sent for \(bytes.count)")
}

/// The owner of a session under test.
private final class FuzzedPeer: HTTP2SessionDelegate {
    let role: HTTP2Settings.Role
    var session: HTTP2Session?
    var open = 0
    private let output = OutputBuffer()

    init(role: HTTP2Settings.Role) { self.role = role }

    func made() -> FuzzedStream {
        open += 1
        return FuzzedStream(self)
    }

    /// Sends what there is to send; returns how much.
    func drain() throws -> Int {
        var sent = 0
        for _ in 0..<100 {
            try session?.drain(into: output)
            guard !output.isEmpty else { break }
            sent += output.count
            output.reset()
        }
        return sent
    }

    func openStream(_ id: Int32) -> HTTP2Stream? { made() }
    func receivedSettings() {}
    func receivedGoAway(lastStream: Int32, code: UInt32, debug: String) {}
    func receivedPingAck(_ payload: UInt64) {}
    func receivedPing() {}
}

/// A call as far as it can be read without handlers.
private final class FuzzedStream: HTTP2Stream {
    private unowned let peer: FuzzedPeer
    private var request = RequestHead(limit: 16 << 10)
    private var response = ResponseHead(limit: 16 << 10)
    private var deframer = MessageDeframer(limit: frameLimit)
    private var waiting = 0
    private var ends = false

    init(_ peer: FuzzedPeer) { self.peer = peer }

    override func receiveField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        switch peer.role {
        case .server: request.receive(name: name, value: value, noTables)
        case .client: response.receive(name: name, value: value, compressors: .standard)
        }
    }

    override func receiveFieldsEnd(endStream: Bool) {
        guard peer.role == .server else { return _ = response.receiveEnd(endStream: endStream) }
        _ = request.verdict()
        deframer.takesCompressed = request.compressor != nil
        var block = HeaderBlock()
        block.add(":status", "200")
        peer.session?.submitResponse(block, stream: self)
    }

    override func receiveData(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        do {
            while let message = try deframer.next(&rest) { waiting += message.count }
        } catch {
            peer.session?.reset(self, code: HTTP2ErrorCode.cancel)
        }
        consume(bytes.count)
        peer.session?.resumeData(self)
    }

    override func receiveEnd() {
        ends = true
        peer.session?.resumeData(self)
    }

    override func nextData(limit: Int) -> DataAnswer {
        guard waiting > 0 || ends else { return .later }
        let count = min(limit, waiting)
        guard ends, count == waiting else { return .bytes(count) }
        return peer.role == .client ? .bytesAndEnd(count) : .bytesAndTrailers(count)
    }

    override func trailers() -> HeaderBlock {
        var block = HeaderBlock()
        block.add("grpc-status", "0")
        return block
    }

    override func takeData(_ count: Int, into output: OutputBuffer) {
        waiting -= count
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 7)
            output.append(copying: UnsafeRawBufferPointer(bytes))
        }
    }

    override func closed(code: UInt32) { peer.open -= 1 }
}

private struct NoRoutes: Service {
    var routes: [Route] { [] }
}

let noTables: RequestHead.Tables = {
    guard let router = try? Router([NoRoutes()]) else { preconditionFailure("a router without routes is legal") }
    return RequestHead.Tables(router, .standard)
}()
