// SPDX-License-Identifier: Apache-2.0

import ApusCore

extension JSON {
    /// A whole number; JSON's readers have them exactly up to 2^53.
    static func integer(_ value: Int) -> JSON { .number(Double(value)) }

    /// A time in seconds, or null.
    static func seconds(_ time: Duration?) -> JSON {
        guard let time else { return .null }
        return .number(Double(time.saturatedNanoseconds) / 1e9)
    }

    static func seconds(nanoseconds: Double?) -> JSON { nanoseconds.map { .number($0 / 1e9) } ?? .null }

    static func text(_ value: (some CustomStringConvertible)?) -> JSON { value.map { .string("\($0)") } ?? .null }

    static func counts(_ values: [String: Int]) -> JSON { .object(values.mapValues(JSON.integer)) }

    /// The members of an object, the elements of an array.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }
}

extension ConnectivityState {
    /// As gRPC's documents spell it.
    var name: String {
        switch self {
        case .idle: "IDLE"
        case .connecting: "CONNECTING"
        case .ready: "READY"
        case .transientFailure: "TRANSIENT_FAILURE"
        case .shutdown: "SHUTDOWN"
        }
    }
}
