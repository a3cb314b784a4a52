// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// Why something in a registry is no entry. For people: "the registry entry … is skipped: " stands in front of it.
package struct EntryProblem: Error, Equatable {
    package let text: String

    package init(_ text: String) { self.text = text }
}

/// The JSON object of a registry's entry.
package enum EntryDocument {
    /// The members of the object in these bytes.
    package static func members(of bytes: [UInt8], maximumBytes: Int) throws(EntryProblem) -> [String: JSON] {
        guard bytes.count <= maximumBytes else { throw EntryProblem("it is larger than \(maximumBytes) bytes") }
        let json: JSON
        do {
            json = try JSONReader.read(bytes)
        } catch {
            throw EntryProblem("it is no JSON: \(error)")
        }
        guard case .object(let members) = json else { throw EntryProblem("it is no JSON object") }
        return members
    }

    /// The address in this text.
    package static func address(_ text: String) throws(EntryProblem) -> Endpoint.Address {
        guard let address = Endpoint.Address(text) else {
            throw EntryProblem("its address '\(text)' is not like 127.0.0.1:50051")
        }
        return address
    }
}
