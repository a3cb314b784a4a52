// SPDX-License-Identifier: Apache-2.0

public import Apus
public import ApusJWT

/// A service that tells its callers who they are, to those whom a policy lets in.
public enum Vault {
    /// `demo.Vault/Open`: texts both ways.
    public static let open = MethodDescriptor(service: "demo.Vault", name: "Open", kind: .unary)

    private struct Service: Apus.Service {
        var routes: [Route] {
            [
                Route(Vault.open) { _ in
                    let caller = Principal.current
                    let text = "\(caller?.name ?? "nobody"), \(caller?.attributes["role"] ?? "no role")"
                    return ServerResponse(message: MessageBytes(text.utf8))
                }
            ]
        }
    }

    /// A server of callers with tokens, of whom only some are let in.
    ///
    /// - Parameter names: the subjects of the tokens whose callers may call.
    public static func server(tokens: JWTAuthenticator, letting names: [String]) throws(RPCError) -> Server {
        let policy = AuthorizationPolicy(
            "vault", allow: [.init("keepers", principals: names.map { StringMatch(stringLiteral: $0) })])
        return try Server([Service()], interceptors: [Authentication([tokens]), Authorization(policy)])
    }
}
