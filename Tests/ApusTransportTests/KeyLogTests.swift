// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Synchronization
import Testing

@testable import ApusTransport

/// The file of secrets, and what becomes of connections when its disk is full.
@Suite struct KeyLogTests {
    let folder: TemporaryFolder
    let loop = ManualLoop()

    init() throws { folder = try TemporaryFolder() }

    @Test func `secrets are logged only when asked for`() throws {
        var setup = try SecureSetup()
        setup.client.keyLogFile = "\(folder.path)/keys"
        let client = try SecureEnd(TLSConnector(setup.client), on: loop)
        let server = try SecureEnd(TLSAcceptor(setup.server), on: loop)
        SecureEnd.relay(client, server)
        #expect(client.isEstablished)
        #expect(folder.names() == ["keys"])
        let text = try folder.text(of: "keys")
        #expect(text.contains("CLIENT_TRAFFIC_SECRET_0 "))
        #expect(text.hasSuffix("\n"))
    }

    #if os(Linux)
        @Test func `a key log on a full disk ends no connection and is told of once`() throws {
            let events = Events()
            var setup = try SecureSetup()
            setup.server.keyLogFile = "/dev/full"
            setup.server.onEvent = { events.add($0) }
            let acceptor = try TLSAcceptor(setup.server)
            for _ in 0..<3 {
                let client = try SecureEnd(TLSConnector(setup.client), on: loop)
                let server = try SecureEnd(acceptor, on: loop)
                SecureEnd.relay(client, server)
                #expect(client.isEstablished)
            }
            let reason = "cannot append to the key log /dev/full: No space left on device"
            #expect(events.all == [.keyLogFailed(reason: reason)])
        }

        @Test func `a key log whose disk has room again goes on with whole lines`() async {
            await #expect(processExitsWith: .success) {
                let folder = try TemporaryFolder()
                let events = Events()
                let log = try KeyLog("\(folder.path)/keys") { events.add($0) }
                log.append("first")
                try FileRoom.limit(to: 10)
                for line in ["second", "third", "fourth"] { log.append(line) }
                try FileRoom.limit(to: nil)
                log.append("fifth")
                #expect(try folder.text(of: "keys") == "first\nseco\nfifth\n")
                let reason = "cannot append to the key log \(folder.path)/keys: not all was taken"
                #expect(events.all == [.keyLogFailed(reason: reason), .keyLogResumed(lost: 3)])
            }
        }
    #endif
}

/// What a key log told.
private final class Events: Sendable {
    private let events = Mutex<[TLSEvent]>([])
    var all: [TLSEvent] { events.withLock { $0 } }
    func add(_ event: TLSEvent) { events.withLock { $0.append(event) } }
}
