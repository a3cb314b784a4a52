// SPDX-License-Identifier: Apache-2.0

import Apus

/// What an operator asks of a registry besides what channels do.
protocol RegistryLedger: Sendable {
    /// The instances of a service, or of all.
    func rows(of service: String?) async throws -> [InstanceRow]
    /// Keeps calls away from an instance, or lets it have them again.
    func drain(_ row: InstanceRow, undo: Bool) async throws
}

extension RegistryArguments {
    static var missing: Mistake { Mistake("which registry? give --directory PATH or --etcd HOST:PORT") }

    /// The registry for an operator.
    func ledger() throws -> any RegistryLedger {
        if let directory { return DirectoryLedger(root: directory) }
        guard let members = try members() else { throw Self.missing }
        return EtcdLedger(members, try etcdOptions())
    }
}
