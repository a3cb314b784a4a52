// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTestSupport
import ApusTransport
import Testing

/// What tests of TLS share: an authority, and a pair whose server has its certificate.
struct SecureSetup {
    let authority: TLSTestAuthority
    var server: ServerTLS
    var client: ClientTLS

    init() throws {
        authority = try TLSTestAuthority()
        server = ServerTLS(try authority.issue(dns: ["localhost", "echo"], ip: ["127.0.0.1"]))
        client = ClientTLS(roots: authority.roots)
    }

    func pair(_ medium: Medium) throws -> Pair {
        var serverOptions = ServerOptions()
        serverOptions.tls = server
        var clientOptions = TransportOptions()
        clientOptions.tls = client
        return try Pair(medium, server: serverOptions, client: clientOptions)
    }
}

@Suite struct TLSCallTests {
    @Test(arguments: Medium.allCases)
    func `a unary call is answered over TLS`(_ medium: Medium) async throws {
        let pair = try SecureSetup().pair(medium)
        let answer = try await pair.channel.unary(EchoService.Methods.echo, MessageBytes("hello"))
        #expect(answer.message.text == "hello")
        await pair.close()
    }
}
