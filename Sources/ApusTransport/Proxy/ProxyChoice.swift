// SPDX-License-Identifier: Apache-2.0

import ApusCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which proxy leads to a host: a policy with what it read from the environment.
struct ProxyChoice: Sendable {
    private let proxy: Result<HTTPProxy, RPCError>
    private let exceptions: ProxyExceptions?

    /// - Parameter variable: reads an environment variable.
    /// - Returns: nil when everything is reached directly.
    init?(_ policy: ProxyPolicy, variable: (String) -> String? = Self.variable) {
        switch policy {
        case .direct: return nil
        case .through(let proxy):
            self.proxy = .success(proxy)
            exceptions = nil
        case .environment:
            func first(_ names: [String]) -> (name: String, value: String)? {
                for name in names {
                    if let value = variable(name), !value.isEmpty { return (name, value) }
                }
                return nil
            }
            guard let (name, url) = first(["grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy"]) else {
                return nil
            }
            proxy = Self.read(url, from: name)
            exceptions = ProxyExceptions(first(["no_grpc_proxy", "no_proxy", "NO_PROXY"])?.value ?? "")
        }
    }

    /// The proxy that leads to a host; nil for the direct way.
    ///
    /// - Throws: INVALID_ARGUMENT when the environment names one that cannot be used.
    func proxy(for host: String, port: Int) throws(RPCError) -> HTTPProxy? {
        if let exceptions, exceptions.contains(host, port: port) { return nil }
        return try proxy.get()
    }

    // An error only for those who need the proxy.
    private static func read(_ url: String, from name: String) -> Result<HTTPProxy, RPCError> {
        do throws(RPCError) {
            return .success(try HTTPProxy(url))
        } catch {
            let text = "the environment variable \(name) cannot be used: \(error.message)"
            return .failure(RPCError(.invalidArgument, text, progress: .notConnected))
        }
    }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
