// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import ShopProtos
import ShopServices
import ShopStore

@main
struct ShopOrders: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-orders", abstract: "The shop's order service: takes orders and tells how they get on.")

    @OptionGroup var instance: InstanceOptions

    @Option(help: "Milliseconds that an order stays in each state.")
    var stateDelay = 300

    func run() async throws {
        guard (1...86_400_000).contains(stateDelay) else {
            throw ValidationError("--state-delay is 1 ms to a day, not \(stateDelay)")
        }
        let store = try instance.openDatabase { try OrderStore(path: $0, stateDelay: .milliseconds(stateDelay)) }
        let changes = try store.changes()
        let registry = instance.openRegistry()
        // Five seconds for the user service at most, and never more than the call that is being handled has left.
        let users = UserService.Client(Channel("users", registry: registry, timeout: .seconds(5)))
        let fulfilment = Task { await Fulfilment(store, changes: changes).run() }
        defer { fulfilment.cancel() }
        try await instance.serve(Orders(store, changes: changes, users: users), as: "orders", in: registry)
    }
}
