// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport

/// A parrot that listens on loopback for programs of other processes.
struct LoopbackParrot {
    let running: RunningServer
    let health = Health()

    init(
        on address: Endpoint.Address = .host("127.0.0.1", port: 0), reflects: Bool = true,
        options: ServerOptions = ServerOptions()
    ) throws {
        let services: [any Service] = [ParrotService(), health]
        let reflection: [any Service] = reflects ? [try Reflection(services)] : []
        running = try Server(services + reflection).start(on: address, options: options)
    }

    /// What is typed to get there.
    var address: String { "\(running.addresses[0])" }

    func stop() async { await running.stop(grace: .zero) }
}
