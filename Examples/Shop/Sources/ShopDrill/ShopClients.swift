// SPDX-License-Identifier: Apache-2.0

import Apus
import ShopProtos

/// The ways to both services, each with all its policies in one list.
struct ShopClients: Sendable {
    let users: UserService.Client
    let orders: OrderService.Client
    /// What both call over.
    let channels: [Channel]

    /// - Parameters:
    ///   - telemetry: who else is told of the calls.
    ///   - random: what the balancers draw from.
    /// - Throws: never, as the intervals below are longer than zero.
    init(
        _ registry: any Registry, witness: Witness, telemetry: any Observer, random: any RandomSource
    ) throws(RPCError) {
        let observer = Observers([witness, telemetry])
        let toUsers = Channel(
            "users",
            interceptors: [
                Deadline(.seconds(30)),
                Retry(try .fixed(total: .seconds(10), interval: .milliseconds(200))),
                Discovery(registry),
                witness,
                RandomBalancer(random: random),
            ], observer: observer)
        let toOrders = Channel(
            "orders",
            interceptors: [
                Deadline(.seconds(30)),
                Retry(.exponential(maxAttempts: 8, initial: .milliseconds(50))),
                Discovery(registry),
                witness,
                RandomBalancer(random: random),
            ], observer: observer)
        users = UserService.Client(toUsers)
        orders = OrderService.Client(toOrders)
        channels = [toUsers, toOrders]
    }
}
