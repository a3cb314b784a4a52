// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2

/// A stream that remembers what it was told and sends what it was given.
final class RecordedStream: HTTP2Stream {
    private(set) var events: [String] = []
    private(set) var received: [UInt8] = []
    private(set) var closeCode: UInt32?
    var outgoing: [UInt8] = []
    var ends = false
    var lastWords: HeaderBlock?
    /// What happens when a header block is complete.
    var onFields: (RecordedStream) -> Void = { _ in }
    private var fields: [String] = []
    private(set) var fieldCount = 0

    override func receiveField(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        fieldCount += 1
        fields.append(String(decoding: name, as: UTF8.self) + "=" + String(decoding: value, as: UTF8.self))
    }

    override func receiveFieldsEnd(endStream: Bool) {
        events.append("fields \(fields.joined(separator: " "))\(endStream ? " end" : "")")
        fields = []
        onFields(self)
    }

    override func receiveData(_ bytes: UnsafeRawBufferPointer) { received.append(contentsOf: bytes) }
    override func receiveEnd() { events.append("end after \(received.count)") }
    override func sentHeaders(endStream: Bool) { events.append(endStream ? "sent headers end" : "sent headers") }

    override func nextData(limit: Int) -> DataAnswer {
        guard outgoing.isEmpty else {
            let count = min(limit, outgoing.count)
            return ends && count == outgoing.count ? end(count) : .bytes(count)
        }
        return ends ? end(0) : .later
    }

    private func end(_ count: Int) -> DataAnswer {
        lastWords == nil ? .bytesAndEnd(count) : .bytesAndTrailers(count)
    }

    override func trailers() -> HeaderBlock { lastWords ?? HeaderBlock() }

    override func takeData(_ count: Int, into output: OutputBuffer) {
        outgoing.prefix(count).withUnsafeBytes { output.append(copying: $0) }
        outgoing.removeFirst(count)
    }

    override func closed(code: UInt32) {
        closeCode = code
        events.append("closed \(code)")
    }
}

/// One end of a connection in memory, with a record of what its session told it.
final class End: HTTP2SessionDelegate {
    private var made: HTTP2Session?
    private(set) var events: [String] = []
    private(set) var streams: [RecordedStream] = []
    var accepts = true
    var onFields: (RecordedStream) -> Void = { _ in }
    var now: Int64 = 0
    let output = OutputBuffer()

    /// The session; there is one from the end of ``init(_:)`` on.
    var session: HTTP2Session {
        guard let made else { preconditionFailure("an end without a session") }
        return made
    }

    init(_ settings: HTTP2Settings, memory: HTTP2Memory? = nil) throws {
        made = try HTTP2Session(settings, delegate: self, memory: memory)
    }

    func dropSession() { made = nil }

    func openStream(_ id: Int32) -> HTTP2Stream? {
        guard accepts else { return nil }
        let stream = RecordedStream()
        stream.onFields = onFields
        streams.append(stream)
        return stream
    }

    func receivedSettings() { events.append("settings") }
    func receivedPing() { events.append("ping") }
    func receivedPingAck(_ payload: UInt64) { events.append("ping ack \(payload)") }
    func receivedGoAway(lastStream: Int32, code: UInt32, debug: String) {
        events.append("goaway \(lastStream) \(code)\(debug.isEmpty ? "" : " " + debug)")
    }

    func forgetStreams() { streams = [] }

    /// What waits to be sent, as one array.
    func drain() throws -> [UInt8] {
        try session.drain(into: output)
        defer { output.reset() }
        return output.remainder(from: 0)
    }

    func receive(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try session.receive($0, at: now) } }
}

/// A client's and a server's session that talk without I/O.
struct SessionPair {
    let client: End
    let server: End

    init(
        client changeClient: (inout HTTP2Settings) -> Void = { _ in },
        server changeServer: (inout HTTP2Settings) -> Void = { _ in },
        clientMemory: HTTP2Memory? = nil, serverMemory: HTTP2Memory? = nil
    ) throws {
        var settings = HTTP2Settings(role: .client)
        changeClient(&settings)
        client = try End(settings, memory: clientMemory)
        settings = HTTP2Settings(role: .server)
        changeServer(&settings)
        server = try End(settings, memory: serverMemory)
    }

    /// Passes bytes until neither end has any.
    func exchange() throws {
        while true {
            let up = try client.drain()
            if !up.isEmpty { try server.receive(up) }
            let down = try server.drain()
            if !down.isEmpty { try client.receive(down) }
            if up.isEmpty, down.isEmpty { return }
        }
    }

    /// Opens a request with this body, which is complete if `ends`.
    func request(_ body: [UInt8] = [], ends: Bool = true) throws -> RecordedStream {
        let stream = RecordedStream()
        stream.outgoing = body
        stream.ends = ends
        try client.session.submitRequest(Self.requestFields, stream: stream)
        return stream
    }

    static var requestFields: HeaderBlock {
        var fields = HeaderBlock()
        fields.add(":method", "POST")
        fields.add(":scheme", "http")
        fields.add(":path", "/a".utf8)
        fields.add(":authority", "test")
        return fields
    }

    static var ok: HeaderBlock {
        var fields = HeaderBlock()
        fields.add(":status", "200")
        return fields
    }

    static func trailers(_ value: String) -> HeaderBlock {
        var fields = HeaderBlock()
        fields.add(name: "grpc-status".utf8, value: value.utf8)
        return fields
    }
}
