// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusConfiguration
import Configuration
import Testing

struct TLSSettingsTests {
    @Test func `a certificate and its key make a server speak TLS`() throws {
        let given = settings([
            "server.tls.certificateChain": "a.pem", "server.tls.privateKey": "a.key", "server.tls.clients": "required",
            "server.tls.clientRoots": "r.pem", "server.tls.minimumVersion": "1.3", "server.tls.maximumHandshakes": 9,
        ])
        let tls = try #require(try ServerOptions(configuration: given).tls)
        #expect(tls.certificates == [.files(chain: "a.pem", privateKey: "a.key")])
        #expect(tls.clients == .required(.file("r.pem")))
        #expect(tls.minimumVersion == .tls13)
        #expect(tls.maximumHandshakes == 9)
    }

    @Test func `half of what TLS needs is refused, for a server would speak cleartext`() {
        let without = settings(["server.tls.privateKey": "a.key"])
        #expect(
            problems { _ = try ServerOptions(configuration: without) } == [
                "server.tls.certificateChain is none (default), but has to be the path of a file for a server with TLS: "
                    + "server.tls.privateKey says so"
            ])
        let keyless = settings(["server.tls.certificateChain": "a.pem"])
        #expect(problems { _ = try ServerOptions(configuration: keyless) }.count == 1)
        let roots = settings([
            "server.tls.certificateChain": "a.pem", "server.tls.privateKey": "a.key", "server.tls.clientRoots": "r.pem",
        ])
        #expect(problems { _ = try ServerOptions(configuration: roots) }.first?.contains("server.tls.clients") == true)
        let client = settings(["client.tls.certificateChain": "a.pem"])
        #expect(problems { _ = try TransportOptions(configuration: client) }.count == 1)
    }

    @Test func `any setting of a client's TLS asks for it, unless it is turned off`() throws {
        let tls = try TransportOptions(configuration: settings(["client.tls.serverName": "users.example"])).tls
        #expect(tls?.serverName == "users.example")
        #expect(tls?.roots == .system)
        let off = settings(["client.tls.serverName": "users.example", "client.tls.enabled": "false"])
        #expect(try TransportOptions(configuration: off).tls == nil)
    }

    @Test func `a keepalive is there when it has an interval`() throws {
        let given = settings(["client.keepalive.interval": "30s", "client.keepalive.withoutCalls": "true"])
        let keepalive = try #require(try TransportOptions(configuration: given).keepalive)
        #expect(keepalive == ClientKeepalive(interval: .seconds(30), withoutCalls: true))
        #expect(
            problems { _ = try TransportOptions(configuration: settings(["client.keepalive.interval": "1s"])) }.count
                == 1)
        #expect(try TransportOptions(configuration: settings([:])).keepalive == nil)
    }
}
