// SPDX-License-Identifier: Apache-2.0
// What gRPC C++'s interop client and server have in common.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>

#include "grpc/testing/test.grpc.pb.h"

// gRPC has it for its own interop programs: the library exports it, but no installed header declares it.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace grpc::testing {

// Whether the message that was read last came compressed.
template <class Context>
bool CameCompressed(Context& context) {
    // Two bits: a message that is compressed still, and one that was.
    return (grpc_call_test_only_get_message_flags(context.c_call()) & (0x80000000u | 0x40000000u)) != 0;
}

inline const std::string kInitialKey = "x-grpc-test-echo-initial";
inline const std::string kTrailingKey = "x-grpc-test-echo-trailing-bin";

inline std::string Zeros(int size) { return std::string(size, '\0'); }

[[noreturn]] inline void Die(const std::string& text) {
    std::cout << text << std::endl;
    std::_Exit(1);
}

inline std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) Die("cannot read " + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

// Standard input ends with the process that started this one.
inline void WaitForEndOfInput() {
    while (std::cin.get() != std::char_traits<char>::eof()) {
    }
}

}  // namespace grpc::testing
