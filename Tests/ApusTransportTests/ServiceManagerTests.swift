// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Foundation
import Testing

@testable import ApusTransport

/// What systemd hears of a process that it started.
@Suite(.timeLimit(.minutes(10))) struct ServiceManagerTests {
    private func manager(_ environment: [String: String]) -> ServiceManager? {
        ServiceManager({ environment[$0] }, process: 42)
    }

    @Test func `a process that nobody asked tells nobody`() {
        #expect(manager([:]) == nil)
        #expect(manager(["NOTIFY_SOCKET": ""]) == nil)
        #expect(manager(["NOTIFY_SOCKET": "vsock:2:1"]) == nil)
        #expect(manager(["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)]) == nil)
    }

    @Test(
        arguments: [
            ([:], nil),
            (["WATCHDOG_USEC": "2000000"], .seconds(2)),
            (["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "42"], .seconds(2)),
            (["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "41"], nil),
            (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "-5"], nil),
            (["WATCHDOG_USEC": "often"], nil),
        ] as [([String: String], Duration?)])
    func `the watchdog's time counts for the process that it names`(
        _ environment: [String: String], _ interval: Duration?
    ) {
        let manager = manager(environment.merging(["NOTIFY_SOCKET": "/run/notify"]) { $1 })
        #expect(manager != nil && manager?.watchdog == interval)
    }

    // In processes of their own: the environment is the whole process'.
    @Test func `a server tells when it is ready, that it lives, and when it stops`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let socket = try DatagramSocket(path: "\(folder.path)/notify")
            setenv("NOTIFY_SOCKET", "\(folder.path)/notify", 1)
            setenv("WATCHDOG_USEC", "20000", 1)
            let serving = Task { try await Server([EchoService()]).serve(on: .host("127.0.0.1", port: 0)) }
            let heard = try await script { () -> [String] in
                var heard = [try socket.receive()]
                while heard.count < 4 { heard.append(try socket.receive()) }
                return heard
            }
            #expect(heard == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"])
            serving.cancel()
            try await script {
                while try socket.receive() != "STOPPING=1" {}
            }
            try await serving.value
        }
    }

    @Test func `a manager that is gone stops nobody`() async {
        await #expect(processExitsWith: .success) {
            setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
            setenv("WATCHDOG_USEC", "1000", 1)
            let started = Latch(1)
            let serving = Task {
                try await Server([EchoService()]).serve(on: .host("127.0.0.1", port: 0)) { _ in started.countDown() }
            }
            await started.wait()
            serving.cancel()
            try await serving.value
        }
    }

    @Test func `a loop that hangs makes the reports stop`() async throws {
        let (clock, reports) = (ManualClock(), Counter())
        let loops = try EventLoops(count: 2)
        let liveness = Liveness(of: loops.members, interval: .seconds(2), clock: clock) { reports.add(1) }
        await clock.waitForSleepers()
        #expect(reports.value == 1)
        clock.advance(by: .seconds(1))
        await eventually { reports.value == 2 }
        await clock.waitForSleepers()
        let held = DispatchSemaphore(value: 0)
        loops.members[1].execute { held.wait() }
        clock.advance(by: .seconds(1))
        for _ in 0..<100 { await Task.yield() }
        #expect(reports.value == 2)
        held.signal()
        await eventually { reports.value == 3 }
        withExtendedLifetime(liveness) {}
    }
}

/// The other end: what systemd reads.
private final class DatagramSocket: Sendable {
    struct Failure: Error {}

    private let descriptor: Int32

    init(path: String) throws {
        guard let address = SocketAddress(unixPath: path) else { throw Failure() }
        #if canImport(Darwin)
            descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #else
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #endif
        guard descriptor >= 0, address.withAddress({ bind(descriptor, $0, $1) }) == 0 else { throw Failure() }
    }

    deinit { close(descriptor) }

    func receive() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { throw Failure() }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
