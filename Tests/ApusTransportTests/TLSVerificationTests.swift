// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport
import COpenSSL
import Testing

/// What a channel asks of a server's certificate, and how it says what is wrong.
@Suite struct TLSVerificationTests {
    var setup: SecureSetup

    init() throws { setup = try SecureSetup() }

    private func answers(_ setup: SecureSetup, _ medium: Medium = .tcp) async throws {
        let pair = try setup.pair(medium)
        let answer = try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        #expect(answer.message.text == "hello")
        await pair.close()
    }

    @Test func `an authority that nobody trusts is refused`() async throws {
        var setup = setup
        setup.client.roots = try TLSTestAuthority("another").roots
        let reason = try await setup.failure()
        #expect(reason == "the server's certificate (CN=test) is not signed by a trusted authority")
    }

    @Test func `the system's authorities do not trust a test's`() async throws {
        var setup = setup
        setup.client.roots = .system
        let reason = try await setup.failure()
        #expect(reason == "the server's certificate (CN=test) is not signed by a trusted authority")
    }

    @Test(
        arguments: [
            (-86_400 * 4 - 60, 86_400, "the server's certificate expired 3 days ago"),
            (-7200, 3600, "the server's certificate expired 1 hour ago"),
            (86_400 * 2 + 60, 86_400, "the server's certificate is not valid until 2 days from now"),
        ])
    func `a certificate out of its time is refused with its age`(_ from: Int, _ life: Int, _ reason: String)
        async throws
    {
        var setup = setup
        setup.server = ServerTLS(
            try setup.authority.issue(ip: ["127.0.0.1"], from: .seconds(from), for: .seconds(life)))
        #expect(try await setup.failure() == reason)
    }

    @Test func `a certificate for other names is refused with both`() async throws {
        var setup = setup
        setup.server = ServerTLS(try setup.authority.issue(dns: ["a.example", "*.c.example"]))
        setup.client.serverName = "b.example"
        #expect(
            try await setup.failure() == "the server's certificate is for a.example, *.c.example, not b.example")
    }

    @Test func `a common name is no host name`() async throws {
        var setup = setup
        setup.server = ServerTLS(try setup.authority.issue(commonName: "b.example"))
        setup.client.serverName = "b.example"
        #expect(try await setup.failure() == "the server's certificate is for no host name at all, not b.example")
    }

    @Test func `an address is no host name`() async throws {
        var setup = setup
        setup.server = ServerTLS(try setup.authority.issue(dns: ["127.0.0.1", "localhost"]))
        #expect(
            try await setup.failure() == "the server's certificate is for 127.0.0.1, localhost, not 127.0.0.1")
    }

    @Test(arguments: ["127.0.0.1", "::1", "2001:db8::7"])
    func `addresses are verified`(_ address: String) async throws {
        var setup = setup
        setup.server = ServerTLS(try setup.authority.issue(ip: [address]))
        setup.client.serverName = address
        try await answers(setup)
        setup.client.serverName = "127.0.0.2"
        #expect(try await setup.failure() == "the server's certificate is for \(address), not 127.0.0.2")
    }

    @Test(arguments: ["a.c.example", "A.C.EXAMPLE", "a.c.example."])
    func `a wildcard stands for one label`(_ name: String) async throws {
        var setup = setup
        setup.server = ServerTLS(try setup.authority.issue(dns: ["*.c.example"]))
        setup.client.serverName = name
        try await answers(setup)
        setup.client.serverName = "a.b.c.example"
        #expect(try await setup.failure() == "the server's certificate is for *.c.example, not a.b.c.example")
    }

    @Test func `a name that can be none is refused`() async throws {
        var setup = setup
        setup.client.serverName = "a\0b"
        #expect(try await setup.failure() == "\"a\0b\" is no server name")
    }

    @Test func `without verification anybody is believed`() async throws {
        var setup = setup
        setup.client.roots = .system
        setup.client.serverName = "b.example"
        setup.client.verification = .dangerouslyAcceptAnyCertificate
        try await answers(setup)
    }

    // MARK: Which certificate

    @Test(arguments: [("a.example", "A"), ("x.b.example", "B"), ("elsewhere.example", "A"), ("127.0.0.1", "A")])
    func `a server shows the certificate for the name that is asked for`(_ name: String, _ shown: String) async throws {
        var setup = setup
        setup.server.certificates = [
            try setup.authority.issue(commonName: "A", dns: ["a.example"], for: .seconds(60)),
            try setup.authority.issue(commonName: "B", dns: ["*.b.example"], for: .seconds(60)),
        ]
        setup.client.serverName = name
        setup.client.roots = try TLSTestAuthority("another").roots
        // Issued an hour ago for a minute, it is not trusted, and the refusal names the subject.
        let reason = try await setup.failure()
        #expect(reason == "the server's certificate (CN=\(shown)) is not signed by a trusted authority")
    }

    @Test func `the second certificate serves calls`() async throws {
        var setup = setup
        setup.server.certificates.append(try setup.authority.issue(dns: ["second.example"]))
        setup.client.serverName = "second.example"
        try await answers(setup)
    }

    // MARK: What cannot be used

    @Test func `material that cannot be used is told at once`() throws {
        let good = setup.server.certificates[0]
        let other = try setup.authority.issue()
        let cases: [(ServerTLS, String)] = [
            (ServerTLS(), "TLS needs a certificate: ServerTLS has none"),
            (
                ServerTLS(.files(chain: "/nowhere/a.pem", privateKey: "/nowhere/a.key")),
                "cannot read /nowhere/a.pem: No such file or directory"
            ),
            (ServerTLS(.pem(chain: "", privateKey: "")), "the given PEM: there is no certificate in it"),
            (
                ServerTLS(TLSCertificate(chain: good.chain, privateKey: .bytes([]))),
                "the given PEM: there is no private key in it"
            ),
            (
                ServerTLS(TLSCertificate(chain: good.chain, privateKey: other.privateKey)),
                "the private key of the given PEM does not belong to the given PEM"
            ),
            (
                ServerTLS(TLSCertificate(chain: good.chain, privateKey: .bytes(try Self.encryptedKey()))),
                "the given PEM: the private key is encrypted: give it without a password"
            ),
        ]
        for (tls, message) in cases {
            var options = ServerOptions()
            options.tls = tls
            let error = #expect(throws: RPCError.self) {
                _ = try Server([EchoService()]).start(on: .host("127.0.0.1", port: 0), options: options)
            }
            #expect(error == RPCError(.invalidArgument, message))
        }
    }

    private static func encryptedKey() throws -> [UInt8] {
        let key = try #require(apus_EVP_EC_gen("P-256"))
        let buffer = try #require(BIO_new(BIO_s_mem()))
        defer {
            EVP_PKEY_free(key)
            BIO_free(buffer)
        }
        try #require(PEM_write_bio_PrivateKey(buffer, key, EVP_aes_128_cbc(), Array("password".utf8), 8, nil, nil) == 1)
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(buffer))
        BIO_read(buffer, &bytes, Int32(bytes.count))
        return bytes
    }

    @Test func `a channel with roots that cannot be used says so with each call`() async throws {
        var setup = setup
        setup.client.roots = .file("/nowhere/roots.pem")
        let pair = try setup.pair(.memory)
        let error = await #expect(throws: RPCError.self) {
            try await pair.channel.unary(EchoService.Methods.echo, MessageBytes(""))
        }
        #expect(error?.message == "cannot read /nowhere/roots.pem: No such file or directory")
        await pair.close()
    }
}
