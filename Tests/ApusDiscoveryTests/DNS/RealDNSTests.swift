// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import Foundation
import Synchronization
import Testing

@testable import ApusDiscovery

/// Debian's dnsmasq in a process of its own. Released, it is killed.
private final class DnsmasqProcess: Sendable {
    /// Nothing to run it with.
    struct Missing: Error, CustomStringConvertible {
        let description = "there is no dnsmasq: install it with 'apt-get install dnsmasq-base' or '.ci/setup --peers'"
    }

    /// It is there no more, or never was.
    struct Ended: Error {}

    private let folder: TemporaryFolder
    // Foundation's Process is not Sendable: it is used under this lock only.
    private let process = Mutex<Process?>(nil)
    let server: NameServer

    init(_ zone: String) throws {
        let paths = ["/usr/sbin", "/usr/bin", "/opt/homebrew/sbin", "/usr/local/sbin"].map { "\($0)/dnsmasq" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else { throw Missing() }
        let port = try ScriptedNameServer.freePort()
        server = NameServer(host: "127.0.0.1", port: port)
        folder = try TemporaryFolder()
        // A process of root would become another user, who may not be there.
        let user = getuid() == 0 ? "user=root\n" : ""
        try folder.write(
            """
            port=\(port)
            listen-address=127.0.0.1
            bind-interfaces
            no-resolv
            no-hosts
            pid-file
            \(user)\(zone)
            """, to: "dnsmasq.conf")
        let child = Process()
        child.executableURL = URL(filePath: path)
        child.arguments = ["--keep-in-foreground", "--conf-file=\(folder.path)/dnsmasq.conf"]
        child.standardInput = FileHandle.nullDevice
        child.standardOutput = FileHandle.nullDevice
        child.standardError = FileHandle.nullDevice
        try child.run()
        process.withLock { $0 = child }
    }

    // Not waited for: Foundation's wait has been seen to hang, and would hold one of the few threads of all tests.
    deinit {
        process.withLock { child in if let child, child.isRunning { _ = kill(child.processIdentifier, SIGKILL) } }
    }

    /// One that answers: its port may have been taken by somebody else before it was bound.
    static func serving(_ zone: String, answering name: String) async throws -> DnsmasqProcess {
        for _ in 0..<5 {
            let process = try DnsmasqProcess(zone)
            do {
                try await process.answers(name)
                return process
            } catch is Ended {}
        }
        throw Ended()
    }

    /// Waits until it answers.
    func answers(_ name: String) async throws {
        let lookUp = DNSLookUp.asking([server], timeout: .seconds(1))
        while (try? await lookUp.texts(name).get())?.isEmpty ?? true {
            guard process.withLock({ $0?.isRunning == true }) else { throw Ended() }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// Against Debian's dnsmasq: what a script plays may be wrong.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RealDNSTests {
    private static let many = (0..<40).map { "txt-record=many.test,\"\($0)\(String(repeating: "x", count: 200))\"\n" }

    private static let zone = #"""
        srv-host=_grpc._tcp.users.test,a.users.test,50051,1,30
        srv-host=_grpc._tcp.users.test,B.users.test,50052,1,10
        srv-host=_grpc._tcp.users.test,c.users.test,50053,2,10
        srv-host=_grpc._tcp.none.test
        txt-record=texts.test,"one, ","two"
        txt-record=_grpc_config.users.test,"v=spf1 -all"
        txt-record=_grpc_config.users.test,"grpc_config=[{\"clientLanguage\": [\"go\"], \"serviceConfig\": {}}, ","{\"serviceConfig\": {\"id\": 7}}]"

        """# + many.joined()

    @Test func `services, texts and long answers are those of the zone`() async throws {
        let dnsmasq = try await DnsmasqProcess.serving(Self.zone, answering: "texts.test")
        let lookUp = DNSLookUp.asking([dnsmasq.server], timeout: .seconds(30))
        let services = try await lookUp.services("_grpc._tcp.users.test").get().sorted { $0.port < $1.port }
        #expect(
            services == [
                ServiceRecord(priority: 1, weight: 30, port: 50051, host: "a.users.test"),
                ServiceRecord(priority: 1, weight: 10, port: 50052, host: "b.users.test"),
                ServiceRecord(priority: 2, weight: 10, port: 50053, host: "c.users.test"),
            ])
        #expect(try await lookUp.services("_grpc._tcp.none.test").get().map(\.host) == [nil])
        #expect(try await lookUp.texts("texts.test").get() == [Array("one, two".utf8)])
        // 8 KiB: over UDP they are cut off.
        #expect(try await lookUp.texts("many.test").get().count == 40)
        var known: [String: [String]] = [:]
        let hosts = HostLookUp { .success(["10.0.0.\($0.utf8.first ?? 0)"]) }
        let found = try await ServiceHosts(services).endpoints(hosts, known: &known).get()
        #expect(found.map(\.description) == ["10.0.0.97:50051", "10.0.0.98:50052"])
        #expect(found.map(\.weight) == [30, 10])
    }

    @Test func `a service config is the zone's`() async throws {
        let dnsmasq = try await DnsmasqProcess.serving(Self.zone, answering: "texts.test")
        let address = Endpoint.Address.host(dnsmasq.server.host, port: dnsmasq.server.port)
        let config = try DNSConfig("dns:///users.test:50051", nameServers: [address])
        var documents = config.documents().makeAsyncIterator()
        // A machine that is busy may keep it from the first look, not from all of them.
        var document: [UInt8]?
        while document == nil, let news = await documents.next(isolation: #isolation) { document = try? news.get() }
        #expect(try document.map(JSONReader.read) == .object(["id": .number(7)]))
    }
}
