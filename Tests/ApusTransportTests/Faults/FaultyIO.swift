// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2

@testable import ApusTransport

/// How bytes travel when nothing is wrong: in which pieces, and how long each takes.
struct Weather: Sendable {
    var pieceTime: @Sendable () -> Duration
    var pieceSize: @Sendable () -> Int
    /// After so many bytes the weather is over.
    var left = Int.max

    /// A little at a time.
    static let cap = Weather(pieceTime: { .milliseconds(1) }, pieceSize: { 100 })
    /// Byte by byte.
    static let split = Weather(pieceTime: { .zero }, pieceSize: { 1 }, left: 2000)
}

/// One end of a pipe in memory, with a fault in what it writes.
///
/// Sendable: confined to its loop.
final class FaultyIO: ConnectionIO, ConnectionIOHandler, @unchecked Sendable {
    private enum Flow {
        case open, held, swallowing, cut
    }

    private let pipe: MemoryPipe
    private let loop: any EventLoop
    private var line: FaultLine
    private var weather: Weather?
    private let usualWeather: Weather?
    private var handler: (any ConnectionIOHandler)?
    private var flow = Flow.open
    // What was written and is on its way.
    private var pending: ArraySlice<UInt8> = []
    private var isBlocked = false
    private var owesDrain = false
    private let buffer = OutputBuffer()
    private lazy var timer = LoopTimer { [unowned self] in self.timePassed() }

    // What a socket's buffer has room for.
    static let room = 64 * 1024
    private static let delay = Duration.seconds(1)

    var peer: Endpoint.Address { pipe.peer }
    var hasStruck: Bool { line.hasStruck }

    init(_ pipe: MemoryPipe, on loop: any EventLoop, _ line: FaultLine, _ weather: Weather? = nil) {
        self.pipe = pipe
        self.loop = loop
        self.line = line
        self.weather = weather
        usualWeather = weather
    }

    // MARK: The connection's side

    func start(_ handler: any ConnectionIOHandler) {
        self.handler = handler
        pipe.start(self)
    }

    func setReading(_ reading: Bool) { pipe.setReading(reading) }

    func write(_ output: OutputBuffer) -> Bool {
        let bytes = output.remainder(from: 0)
        output.reset()
        for step in line.pass(bytes) {
            switch step {
            case .bytes(let bytes): send(bytes)
            case .strike(let fault): strike(fault)
            }
        }
        owesDrain = isBlocked || pending.count > Self.room
        return !owesDrain
    }

    func close() {
        handler = nil
        loop.cancel(timer)
        // Nobody hears of an end that a black hole swallows.
        guard flow != .swallowing else { return }
        if flow != .cut { putAll() }
        pipe.close()
    }

    // MARK: The fault

    private func strike(_ fault: Fault) {
        switch fault {
        case .delay:
            flow = .held
            loop.schedule(timer, at: loop.now.advanced(by: Self.delay))
        case .cap: weather = .cap
        case .split: weather = .split
        case .stall:
            flow = .swallowing
            loop.cancel(timer)
        case .corrupt: break
        case .halfClose:
            putAll()
            flow = .cut
            pipe.endSending("the peer closed the connection")
        case .reset: reset()
        }
    }

    /// Breaks the connection now, for both sides.
    func reset() {
        flow = .cut
        isBlocked = true
        loop.cancel(timer)
        pipe.close("connection reset by peer")
        // As a socket does: not inside of a write.
        loop.execute { self.ioEnded("connection reset by peer") }
    }

    private func send(_ bytes: [UInt8]) {
        if flow == .cut { return }
        if flow == .open, weather == nil, pending.isEmpty { return put(bytes[...]) }
        pending += bytes
        travel()
    }

    // The next piece sets out, unless one is on its way.
    private func travel() {
        guard flow == .open, !pending.isEmpty, !timer.timer.isScheduled else { return }
        loop.schedule(timer, at: loop.now.advanced(by: weather?.pieceTime() ?? .zero))
    }

    private func timePassed() {
        if flow == .held { flow = .open } else { putPiece() }
        travel()
        drained()
    }

    private func putPiece() {
        guard let size = weather?.pieceSize() else { return putAll() }
        let piece = pending.prefix(max(1, size))
        put(piece)
        pending.removeFirst(piece.count)
        weather?.left -= piece.count
        if let left = weather?.left, left <= 0 { weather = usualWeather }
    }

    private func putAll() {
        guard !pending.isEmpty else { return }
        put(pending)
        pending = []
    }

    private func put(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { buffer.append(copying: $0) }
        if !pipe.write(buffer) { isBlocked = true }
    }

    private func drained() {
        guard owesDrain, !isBlocked, pending.count <= Self.room / 2 else { return }
        owesDrain = false
        handler?.ioDrained()
    }

    // MARK: The pipe's side

    func ioReceived(_ bytes: UnsafeRawBufferPointer) { handler?.ioReceived(bytes) }

    func ioDrained() {
        isBlocked = false
        drained()
    }

    func ioEnded(_ reason: String) {
        loop.cancel(timer)
        let handler = handler
        self.handler = nil
        handler?.ioEnded(reason)
    }
}

/// A network of one process whose connections have faults. Used on a simulation's thread.
final class FaultyNetwork: Dialer, @unchecked Sendable {
    typealias Lines = (toServer: FaultLine, toClient: FaultLine)

    private let lines: (Int) -> Lines
    private let weather: Weather?
    private let dialTime: () -> Duration
    private(set) var connections: [(client: FaultyIO, server: FaultyIO)] = []
    /// Who serves, by the name in `memory:name`.
    var servers: [String: ActiveServer] = [:]

    /// - Parameters:
    ///   - weather: how bytes travel on all connections; nil: at once.
    ///   - dialTime: how long the next connection takes to be made.
    ///   - lines: the faults of the connection with this number, from 0.
    init(
        weather: Weather? = nil, dialTime: @escaping () -> Duration = { .zero }, lines: @escaping (Int) -> Lines
    ) {
        self.weather = weather
        self.dialTime = dialTime
        self.lines = lines
    }

    /// Whether any fault came about.
    var hasStruck: Bool { connections.contains { $0.client.hasStruck || $0.server.hasStruck } }

    func dial(
        _ address: Endpoint.Address, on loop: any EventLoop,
        answer: @escaping (Result<any ConnectionIO, ConnectFailure>) -> Void
    ) -> any Dialing {
        let dialing = FaultyDialing(loop) { answer(self.connect(address, loop)) }
        loop.schedule(dialing, at: loop.now.advanced(by: dialTime()))
        return dialing
    }

    private func connect(
        _ address: Endpoint.Address, _ loop: any EventLoop
    ) -> Result<any ConnectionIO, ConnectFailure> {
        guard case .memory(let name) = address, let server = servers[name] else {
            return .failure(ConnectFailure(reason: "connect \(address): connection refused"))
        }
        let serverLoop = server.balance.leastMember()
        let (near, far) = MemoryPipe.pair(name, loop, serverLoop)
        let lines = lines(connections.count)
        let client = FaultyIO(near, on: loop, lines.toServer, weather)
        let accepted = FaultyIO(far, on: serverLoop, lines.toClient, weather)
        connections.append((client, accepted))
        serverLoop.execute { server.serve(accepted, on: serverLoop) }
        return .success(client)
    }

    func forget() { connections = [] }
}

private final class FaultyDialing: Dialing, TimerEntry {
    var timer = TimerPosition()
    private let loop: any EventLoop
    private var action: (() -> Void)?

    init(_ loop: any EventLoop, _ action: @escaping () -> Void) {
        self.loop = loop
        self.action = action
    }

    func timerFired() {
        let action = action
        self.action = nil
        action?()
    }

    func cancel() {
        action = nil
        loop.cancel(self)
    }
}
