// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Foundation
import Synchronization

/// A TCP proxy with one fault on the first connection through it; later ones pass clean.
///
/// It strikes at a point of the bytes, never at a time. What a delay holds back goes on when the test says so.
final class FaultProxy: Sendable {
    let address: Endpoint.Address
    /// Opens when the fault came about.
    let struck = Latch()
    private let listener: RawListener
    private let target: Endpoint.Address
    private let fault: FaultCase
    private let wakes = Mutex<[WakePipe]>([])
    private let isReleased = Counter()

    /// A proxy to the server at `target`.
    init(to target: Endpoint.Address, _ fault: FaultCase) throws {
        listener = try RawListener()
        address = listener.address
        self.target = target
        self.fault = fault
    }

    /// Passes this many connections on, each on a thread of its own, and returns the scripts that do.
    func serve(connections: Int) -> [Script<Void>] {
        let sockets = Mutex(0)
        return (0..<connections).map { _ in
            Script {
                let client = try self.listener.accept()
                let number = sockets.withLock { count in
                    count += 1
                    return count
                }
                let wake = try WakePipe()
                self.wakes.withLock { $0.append(wake) }
                let server = try RawSocket(connectingTo: self.target)
                let line = number == 1 ? self.line : nil
                try ProxiedConnection(client, server, line, self.fault.direction, wake, self).run()
            }
        }
    }

    private var line: FaultLine {
        FaultLine(fault.fault, at: MomentWatch(fault.moment, fault.direction, messageSize: RecordedService.frameSize))
    }

    /// Lets go what was held back.
    func release() {
        isReleased.add(1)
        for wake in wakes.withLock({ $0 }) { wake.wake() }
    }

    fileprivate var holds: Bool { isReleased.value == 0 }
}

/// One connection through the proxy. Used on one thread.
private final class ProxiedConnection {
    private final class Way {
        let from: RawSocket
        let to: RawSocket
        var line: FaultLine
        var pending: [UInt8] = []
        var pieces = Int.max
        var isHeld = false
        var isCut = false
        var isOver = false

        init(_ from: RawSocket, _ to: RawSocket, _ line: FaultLine?) {
            self.from = from
            self.to = to
            self.line = line ?? .clean
        }
    }

    private let ways: [Way]
    private let wake: WakePipe
    private let proxy: FaultProxy
    private var isReset = false

    init(
        _ client: RawSocket, _ server: RawSocket, _ line: FaultLine?, _ direction: Direction, _ wake: WakePipe,
        _ proxy: FaultProxy
    ) {
        ways = [
            Way(client, server, direction == .toServer ? line : nil),
            Way(server, client, direction == .toClient ? line : nil),
        ]
        self.wake = wake
        self.proxy = proxy
    }

    func run() throws {
        while !isReset, ways.contains(where: { !$0.isOver }) {
            var polls = ways.map { pollfd(fd: $0.isOver ? -1 : $0.from.descriptor, events: Int16(POLLIN), revents: 0) }
            polls.append(pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0))
            guard poll(&polls, nfds_t(polls.count), -1) >= 0 else { continue }
            if polls[2].revents != 0 { wake.drain() }
            for (way, poll) in zip(ways, polls) where poll.revents != 0 && !isReset { move(way) }
            if !proxy.holds { for way in ways where way.isHeld { letGo(way) } }
        }
        for way in ways { way.from.close() }
    }

    private func move(_ way: Way) {
        guard let bytes = (try? way.from.receiveSome(atMost: min(4096, way.pieces))) ?? nil else {
            way.isOver = true
            if !way.isHeld { way.to.endSending() }
            return
        }
        for step in way.line.pass(bytes) where !isReset {
            switch step {
            case .bytes(let bytes): send(bytes, way)
            case .strike(let fault): strike(fault, way)
            }
        }
    }

    private func strike(_ fault: Fault, _ way: Way) {
        switch fault {
        case .delay: way.isHeld = true
        case .split: way.pieces = 1
        case .cap: way.pieces = 100
        case .stall: way.isCut = true
        case .halfClose:
            way.isCut = true
            way.to.endSending()
        case .corrupt: break
        case .reset:
            isReset = true
            for way in ways { way.from.reset() }
        }
        proxy.struck.countDown()
    }

    private func send(_ bytes: [UInt8], _ way: Way) {
        if way.isCut { return }
        if way.isHeld { return way.pending += bytes }
        var rest = bytes[...]
        while !rest.isEmpty {
            // The other side may be gone: its end is read soon.
            guard (try? way.to.send(Array(rest.prefix(way.pieces)))) != nil else { return }
            rest = rest.dropFirst(way.pieces)
        }
    }

    private func letGo(_ way: Way) {
        way.isHeld = false
        send(way.pending, way)
        way.pending = []
        if way.isOver { way.to.endSending() }
    }
}

/// Wakes a thread that polls.
final class WakePipe: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw RawSocket.Failure(what: "pipe") }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func wake() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 16)
        _ = read(readEnd, &bytes, bytes.count)
    }
}
