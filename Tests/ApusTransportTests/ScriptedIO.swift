// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusTransport

/// The stream below a connection, played by a test: it keeps what is written and delivers what it is told to.
final class ScriptedIO: ConnectionIO {
    let peer = Endpoint.Address.memory("scripted")
    private(set) var written: [UInt8] = []
    private(set) var writes = 0
    private(set) var isClosed = false
    private(set) var isReading = false
    /// Whether a write leaves at once.
    var takesWrites = true
    private var handler: (any ConnectionIOHandler)?

    func start(_ handler: any ConnectionIOHandler) {
        self.handler = handler
        isReading = true
    }

    func write(_ output: OutputBuffer) -> Bool {
        written += output.remainder(from: 0)
        writes += 1
        output.reset()
        return takesWrites
    }

    func setReading(_ reading: Bool) { isReading = reading }

    private(set) var turnLimits: [Int] = []
    func limitTurn(to bytes: Int) { turnLimits.append(bytes) }

    func close() {
        isClosed = true
        handler = nil
    }

    /// What was written since the last time.
    func takeWritten() -> [UInt8] {
        defer { written = [] }
        return written
    }

    /// Delivers bytes, `step` at a time.
    func deliver(_ bytes: [UInt8], step: Int = .max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            Array(rest.prefix(step)).withUnsafeBytes { handler?.ioReceived($0) }
            rest = rest.dropFirst(step)
        }
    }

    func drain() {
        takesWrites = true
        handler?.ioDrained()
    }

    func end(_ reason: String) {
        let handler = handler
        self.handler = nil
        handler?.ioEnded(reason)
    }
}

/// Notes what a byte stream reports.
final class StreamRecorder: ConnectionIOHandler {
    private(set) var received: [UInt8] = []
    private(set) var deliveries = 0
    private(set) var drains = 0
    private(set) var endReason: String?

    func ioReceived(_ bytes: UnsafeRawBufferPointer) {
        received += bytes
        deliveries += 1
    }

    func ioDrained() { drains += 1 }
    func ioEnded(_ reason: String) { endReason = reason }
}

/// One end of a TLS connection over a scripted stream.
final class SecureEnd {
    let wire: ScriptedIO
    let io: TLSIO
    let recorder = StreamRecorder()
    private(set) var isEstablished = false
    private(set) var failure: String?
    private(set) var hasLeft = false

    init(_ connector: TLSConnector, to name: String = "localhost", on loop: ManualLoop) throws {
        wire = ScriptedIO()
        io = try connector.connect(wire, to: .host(name, port: 1), on: loop)
        connector.handshake(io) { self.note($0) }
    }

    init(_ acceptor: TLSAcceptor, on loop: ManualLoop) throws {
        wire = ScriptedIO()
        io = try acceptor.accept(wire, on: loop)
        io.handshake(within: .seconds(10)) { self.note($0) }
    }

    private func note(_ result: TLSIO.HandshakeResult) {
        switch result {
        case .established:
            isEstablished = true
            io.start(recorder)
        case .failed(let reason): failure = reason
        case .left: hasLeft = true
        }
    }

    /// Writes bytes as a connection would.
    func write(_ bytes: [UInt8]) -> Bool {
        let output = OutputBuffer()
        bytes.withUnsafeBytes { output.append(copying: $0) }
        return io.write(output)
    }

    /// Carries bytes to and fro until both ends are quiet.
    static func relay(_ one: SecureEnd, _ other: SecureEnd, step: Int = .max) {
        while !one.wire.written.isEmpty || !other.wire.written.isEmpty {
            other.wire.deliver(one.wire.takeWritten(), step: step)
            one.wire.deliver(other.wire.takeWritten(), step: step)
        }
    }
}
