// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import ApusTransport
import Testing

/// Certificates in files that change while the process runs.
@Suite struct TLSReloadTests {
    let authority: TLSTestAuthority
    let folder: TemporaryFolder
    let loop = ManualLoop()
    let events = Notes()

    init() throws {
        authority = try TLSTestAuthority()
        folder = try TemporaryFolder()
    }

    private func write(_ certificate: TLSCertificate, chain: Bool = true, key: Bool = true) throws {
        guard case .bytes(let first) = certificate.chain, case .bytes(let second) = certificate.privateKey else {
            return
        }
        if chain { try folder.write(String(decoding: first, as: UTF8.self), to: "server.pem") }
        if key { try folder.write(String(decoding: second, as: UTF8.self), to: "server.key") }
    }

    private func acceptor() throws -> TLSAcceptor {
        var options = ServerTLS(
            .files(chain: "\(folder.path)/server.pem", privateKey: "\(folder.path)/server.key"))
        let events = events
        options.onEvent = { event in
            switch event {
            case .reloaded: events.add("reloaded")
            case .reloadFailed(let reason): events.add(reason)
            case .handshakeFailed, .keyLogFailed, .keyLogResumed: break
            }
        }
        return try TLSAcceptor(options)
    }

    // The subject of the certificate that the server shows.
    private func shown(by acceptor: TLSAcceptor) throws -> String {
        let stranger = try TLSConnector(ClientTLS(roots: try TLSTestAuthority("another").roots))
        let client = try SecureEnd(stranger, on: loop)
        let server = try SecureEnd(acceptor, on: loop)
        SecureEnd.relay(client, server)
        let reason = client.failure ?? ""
        return String(reason.split(separator: "(CN=").last?.prefix { $0 != ")" } ?? "")
    }

    @Test func `a new certificate is shown to the next connection`() throws {
        try write(authority.issue(commonName: "old"))
        let acceptor = try acceptor()
        #expect(try shown(by: acceptor) == "old")
        try write(authority.issue(commonName: "new"))
        loop.advance(by: .seconds(9))
        #expect(try shown(by: acceptor) == "old")
        loop.advance(by: .seconds(1))
        #expect(try shown(by: acceptor) == "new")
        #expect(events.all == ["reloaded"])
    }

    @Test func `a bad file keeps the old certificate and is told once`() throws {
        try write(authority.issue(commonName: "old"))
        let acceptor = try acceptor()
        #expect(try shown(by: acceptor) == "old")
        try folder.write("rubbish", to: "server.pem")
        for _ in 0..<3 {
            loop.advance(by: .seconds(10))
            #expect(try shown(by: acceptor) == "old")
        }
        #expect(events.all == ["\(folder.path)/server.pem: there is no certificate in it"])
        try folder.remove("server.pem")
        for _ in 0..<3 {
            loop.advance(by: .seconds(10))
            #expect(try shown(by: acceptor) == "old")
        }
        #expect(events.all.count == 2)
        try write(authority.issue(commonName: "new"))
        loop.advance(by: .seconds(10))
        #expect(try shown(by: acceptor) == "new")
        #expect(events.all.count == 3)
    }

    @Test func `a certificate that came before its key waits for it`() throws {
        try write(authority.issue(commonName: "old"))
        let acceptor = try acceptor()
        #expect(try shown(by: acceptor) == "old")
        let next = try authority.issue(commonName: "new")
        try write(next, key: false)
        loop.advance(by: .seconds(10))
        #expect(try shown(by: acceptor) == "old")
        #expect(
            events.all == ["the private key of \(folder.path)/server.key does not belong to \(folder.path)/server.pem"])
        try write(next)
        loop.advance(by: .seconds(10))
        #expect(try shown(by: acceptor) == "new")
    }

    @Test func `sessions outlive a new certificate`() throws {
        try write(authority.issue(dns: ["localhost"]))
        let acceptor = try acceptor()
        let connector = try TLSConnector(ClientTLS(roots: authority.roots))
        for isResumed in [false, true] {
            let client = try SecureEnd(connector, on: loop)
            let server = try SecureEnd(acceptor, on: loop)
            SecureEnd.relay(client, server)
            #expect(client.isEstablished && client.io.isResumed == isResumed)
            try write(authority.issue(dns: ["localhost"]))
            loop.advance(by: .seconds(10))
        }
        #expect(events.all == ["reloaded"])
    }
}
