// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusDiscovery

/// An instance as a key of etcd says it, in the form of etcd's own `client/v3/naming/endpoints`, so that services of
/// grpc-go see ours and the reverse: `<service>/<id>` is `{"Op": 0, "Addr": "10.0.0.7:50051", "Metadata": {…}}`.
///
/// The texts of `Metadata` are the endpoint's metadata. Its member `apus` is ours: the service, and the weight, which
/// is read from a number `weight` of strangers as well.
struct EtcdEntry: Equatable {
    /// The largest value that is read or written, in bytes.
    static let maximumBytes = 64 * 1024
    private static let ours = "apus"

    private(set) var endpoint: Endpoint
    /// The service, where the value names it. Under `a/` there are also the keys of a service `a/b`.
    let service: String?

    /// Why a value is no entry.
    typealias Problem = EntryProblem

    init(_ endpoint: Endpoint, service: String?) {
        self.endpoint = endpoint
        // The key says it.
        self.endpoint.instance = nil
        self.service = service
    }

    /// What all keys of a service begin with.
    static func prefix(of service: String) -> [UInt8] { Array("\(service)/".utf8) }

    /// The key of an instance.
    static func key(of instance: ServiceInstance) -> [UInt8] { prefix(of: instance.service) + instance.id.utf8 }

    /// The first key behind all that begin with the prefix, which ends with a slash.
    static func end(ofPrefix prefix: [UInt8]) -> [UInt8] { prefix.dropLast() + [UInt8(ascii: "/") + 1] }

    /// The value of an instance.
    ///
    /// - Throws: INVALID_ARGUMENT when no reader would find the instance in it again.
    static func encoded(_ instance: ServiceInstance) throws(RPCError) -> [UInt8] {
        guard !instance.service.isEmpty, !instance.id.isEmpty else {
            throw RPCError(.invalidArgument, "an instance needs the name of its service and an id")
        }
        let endpoint = instance.endpoint
        var metadata = endpoint.metadata.mapValues { JSON.string($0) }
        metadata[ours] = .object(["service": .string(instance.service), "weight": .number(endpoint.weight)])
        let json = JSON.object([
            "Op": .number(0), "Addr": .string(endpoint.address.description), "Metadata": .object(metadata),
        ])
        let bytes = Array(json.text.utf8)
        do throws(Problem) {
            let entry = EtcdEntry(endpoint, service: instance.service)
            guard try EtcdEntry(decoding: bytes) == entry else { throw Problem("it does not survive JSON") }
        } catch {
            throw RPCError(.invalidArgument, "the instance cannot be registered: \(error.text)")
        }
        return bytes
    }

    /// The entry in a key's value.
    init(decoding bytes: [UInt8]) throws(Problem) {
        let members = try EntryDocument.members(of: bytes, maximumBytes: Self.maximumBytes)
        guard case .string(let text) = members["Addr"], !text.isEmpty else {
            throw Problem("its field 'Addr' is no text or is missing")
        }
        let address = try EntryDocument.address(text)
        if case .memory = address { throw Problem("\(address) cannot be reached from other processes") }
        // Strangers may put any value there.
        var fields: [String: JSON] = [:]
        if case .object(let object) = members["Metadata"] { fields = object }
        try self.init(address, fields)
    }

    /// The endpoint with its instance. An id of ours belongs to one instance for ever; a stranger's key may be its
    /// address, and then tells instances apart by when it was put there.
    func place(in pair: EtcdKeyValue, of prefix: [UInt8]) -> Endpoint {
        var place = endpoint
        let id = String(decoding: pair.key.dropFirst(prefix.count), as: UTF8.self)
        place.instance = service == nil ? "\(id)@\(pair.createRevision)" : id
        return place
    }

    private init(_ address: Endpoint.Address, _ fields: [String: JSON]) throws(Problem) {
        var weight = fields["weight"]
        var service: String?
        if case .object(let own) = fields[Self.ours] {
            weight = own["weight"]
            if case .string(let name) = own["service"] { service = name }
        }
        let metadata = fields.compactMapValues { value in
            if case .string(let text) = value { text } else { nil }
        }
        self.init(Endpoint(address, metadata: metadata, weight: try Self.weight(weight)), service: service)
    }

    private static func weight(_ value: JSON?) throws(Problem) -> Double {
        guard case .number(let number) = value else { return 1 }
        guard number >= 0 else { throw Problem("its field 'weight' is below 0") }
        return number
    }
}
