// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser

/// How to get to a server.
struct ConnectionArguments: ParsableArguments {
    enum Stack: String, ExpressibleByArgument, CaseIterable {
        case `default`, bare
    }

    @Option(
        help: ArgumentHelp(
            "The policies of calls.",
            discussion: "default: retries of calls that found nobody, a random choice, circuit breakers; bare: none."))
    var stack = Stack.default

    @OptionGroup(title: "TLS") var security: TLSArguments
    @OptionGroup(title: "Registry") var registry: RegistryArguments

    /// A channel to one address and nowhere else, without policies: what is away shall look so.
    func channel(toInstance address: String) throws -> Channel {
        let target = try Target(address)
        return Channel(target.name, interceptors: target.bare, options: options(for: target))
    }

    /// A channel to an address, or to a service of the registry.
    ///
    /// - Parameter address: nil when the command line has none.
    /// - Throws: ``Mistake`` for an address that is none.
    func channel(to address: String?, observer: (any Observer)? = nil) throws -> Channel {
        guard let address else {
            throw Mistake("which server? give its address, such as localhost:50051, in front")
        }
        let target = try registry.open().map { Target(name: address, registry: $0) } ?? Target(address)
        return Channel(
            target.name, interceptors: stack == .bare ? target.bare : target.stacked, options: options(for: target),
            observer: observer)
    }

    private func options(for target: Target) -> TransportOptions {
        var options = TransportOptions()
        options.tls = security.makeTLS()
        if security.serverName == nil { options.tls?.serverName = target.serverName }
        options.userAgentPrefix = "apus-cli"
        options.maximumResponseBytes = 256 << 20
        return options
    }
}
