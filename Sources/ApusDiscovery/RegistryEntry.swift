// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// An instance as a file of a directory registry says it: JSON, for people to read too.
struct RegistryEntry: Equatable, Sendable {
    /// The largest file that is read or written, in bytes.
    static let maximumBytes = 64 * 1024

    private(set) var instance: ServiceInstance
    /// For how long the entry is good after its file was last touched.
    let lease: Duration
    /// Whether an operator keeps calls away from the instance. Its owner never writes that, and leaves it in the file
    /// when it renews the lease.
    var isDraining = false

    /// Why a file is no entry.
    typealias Problem = EntryProblem

    init(_ instance: ServiceInstance, lease: Duration) {
        self.instance = instance
        // The id says it.
        self.instance.endpoint.instance = nil
        self.lease = lease
    }

    /// The bytes of the file.
    ///
    /// - Throws: INVALID_ARGUMENT when no reader would find the instance in them again.
    func encoded() throws(RPCError) -> [UInt8] {
        let endpoint = instance.endpoint
        let json = JSON.object([
            "service": .string(instance.service),
            "id": .string(instance.id),
            "address": .string(endpoint.address.description),
            "weight": .number(endpoint.weight),
            "metadata": .object(endpoint.metadata.mapValues { .string($0) }),
            "leaseMilliseconds": .number(Double(lease.saturatedNanoseconds / 1_000_000)),
        ])
        let bytes = Array(json.text.utf8)
        if case .memory = endpoint.address {
            throw RPCError(.invalidArgument, "\(endpoint.address) cannot be reached from other processes")
        }
        do throws(Problem) {
            guard try RegistryEntry(decoding: bytes) == self else { throw Problem("it does not survive JSON") }
        } catch {
            throw RPCError(.invalidArgument, "the instance cannot be registered: \(error.text)")
        }
        return bytes
    }

    /// The entry in a file's bytes.
    init(decoding bytes: [UInt8]) throws(Problem) {
        let members = try EntryDocument.members(of: bytes, maximumBytes: Self.maximumBytes)
        let fields = Fields(members: members)
        let text = try fields.string("address")
        let address = try EntryDocument.address(text)
        let endpoint = Endpoint(address, metadata: try fields.metadata(), weight: try fields.weight())
        self.init(
            ServiceInstance(service: try fields.string("service"), id: try fields.string("id"), endpoint: endpoint),
            lease: try fields.lease())
        isDraining = try fields.isDraining()
    }
}

/// The members of an entry's object. Unknown ones are ignored: a later version may add some.
private struct Fields {
    typealias Problem = RegistryEntry.Problem
    let members: [String: JSON]

    func string(_ name: String) throws(Problem) -> String {
        guard case .string(let text) = members[name], !text.isEmpty else {
            throw Problem("its field '\(name)' is no text or is missing")
        }
        return text
    }

    func weight() throws(Problem) -> Double {
        switch members["weight"] {
        case nil: return 1
        case .number(let number) where number >= 0: return number
        default: throw Problem("its field 'weight' is no number from 0 on")
        }
    }

    func isDraining() throws(Problem) -> Bool {
        switch members["draining"] {
        case nil: return false
        case .bool(let value): return value
        default: throw Problem("its field 'draining' is neither true nor false")
        }
    }

    func lease() throws(Problem) -> Duration {
        guard case .number(let number) = members["leaseMilliseconds"], Lease.milliseconds.contains(number) else {
            throw Problem("its field 'leaseMilliseconds' is no number from 100 to 86400000 or is missing")
        }
        return .milliseconds(Int64(number))
    }

    func metadata() throws(Problem) -> [String: String] {
        guard let value = members["metadata"] else { return [:] }
        guard case .object(let pairs) = value else { throw Problem("its field 'metadata' is no object") }
        var result: [String: String] = [:]
        for (key, value) in pairs {
            guard case .string(let text) = value else { throw Problem("its metadata '\(key)' is no text") }
            result[key] = text
        }
        return result
    }
}
