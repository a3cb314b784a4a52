// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PasswordHash
import ShopServices
import ShopStore

@main
struct ShopUsers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-users", abstract: "The shop's user service: registers users and logs them in.")

    @OptionGroup var instance: InstanceOptions

    @Option(help: "What a password hash costs: scrypt's N, a power of two up to 2^20.")
    var hashCost = ScryptCost.standard.n

    func run() async throws {
        guard let cost = ScryptCost(n: hashCost) else {
            throw ValidationError("--hash-cost is a power of two from 2 to 2^20, not \(hashCost)")
        }
        let store = try instance.openDatabase { try UserStore(path: $0, cost: cost) }
        try await instance.serve(Users(store), as: "users", in: instance.openRegistry())
    }
}
