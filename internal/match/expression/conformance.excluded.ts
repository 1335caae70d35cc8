/** Cases of the conformance suites that are not offered, by reason: every one is named, so that none slips in. */
export const EXCLUDED: Readonly<Record<string, string>> = {
  'protobuf messages and enums: there are none in a request': `
    comparisons/eq_literal/eq_dyn_json_null comparisons/eq_literal/not_eq_dyn_proto2_msg_null
    comparisons/eq_literal/not_eq_dyn_proto3_msg_null comparisons/eq_wrapper/eq_bool
    comparisons/eq_wrapper/eq_bool_empty comparisons/eq_wrapper/eq_bool_not_null
    comparisons/eq_wrapper/eq_bool_proto2_null comparisons/eq_wrapper/eq_bool_proto3_null
    comparisons/eq_wrapper/eq_bytes comparisons/eq_wrapper/eq_bytes_empty
    comparisons/eq_wrapper/eq_bytes_not_null comparisons/eq_wrapper/eq_bytes_proto2_null
    comparisons/eq_wrapper/eq_bytes_proto3_null comparisons/eq_wrapper/eq_double
    comparisons/eq_wrapper/eq_double_empty comparisons/eq_wrapper/eq_double_not_null
    comparisons/eq_wrapper/eq_double_proto2_null comparisons/eq_wrapper/eq_double_proto3_null
    comparisons/eq_wrapper/eq_float comparisons/eq_wrapper/eq_float_empty
    comparisons/eq_wrapper/eq_float_not_null comparisons/eq_wrapper/eq_float_proto2_null
    comparisons/eq_wrapper/eq_float_proto3_null comparisons/eq_wrapper/eq_int32
    comparisons/eq_wrapper/eq_int32_empty comparisons/eq_wrapper/eq_int32_not_null
    comparisons/eq_wrapper/eq_int32_proto2_null comparisons/eq_wrapper/eq_int32_proto3_null
    comparisons/eq_wrapper/eq_int64 comparisons/eq_wrapper/eq_int64_empty
    comparisons/eq_wrapper/eq_int64_not_null comparisons/eq_wrapper/eq_int64_proto2_null
    comparisons/eq_wrapper/eq_int64_proto3_null comparisons/eq_wrapper/eq_string
    comparisons/eq_wrapper/eq_string_empty comparisons/eq_wrapper/eq_string_not_null
    comparisons/eq_wrapper/eq_string_proto2_null comparisons/eq_wrapper/eq_string_proto3_null
    comparisons/eq_wrapper/eq_uint32 comparisons/eq_wrapper/eq_uint32_empty
    comparisons/eq_wrapper/eq_uint32_not_null comparisons/eq_wrapper/eq_uint32_proto2_null
    comparisons/eq_wrapper/eq_uint32_proto3_null comparisons/eq_wrapper/eq_uint64
    comparisons/eq_wrapper/eq_uint64_empty comparisons/eq_wrapper/eq_uint64_not_null
    comparisons/eq_wrapper/eq_uint64_proto2_null comparisons/eq_wrapper/eq_uint64_proto3_null
    comparisons/eq_wrapper/eq_proto2 comparisons/eq_wrapper/eq_proto3
    comparisons/eq_wrapper/eq_proto2_missing_fields_neq comparisons/eq_wrapper/eq_proto3_missing_fields_neq
    comparisons/eq_wrapper/eq_proto_nan_equal comparisons/eq_wrapper/eq_proto_different_types
    comparisons/eq_wrapper/eq_proto2_any_unpack_equal comparisons/eq_wrapper/eq_proto2_any_unpack_not_equal
    comparisons/eq_wrapper/eq_proto2_any_unpack_bytewise_fallback_not_equal
    comparisons/eq_wrapper/eq_proto2_any_unpack_bytewise_fallback_equal
    comparisons/eq_wrapper/eq_proto3_any_unpack_equal comparisons/eq_wrapper/eq_proto3_any_unpack_not_equal
    comparisons/eq_wrapper/eq_proto3_any_unpack_bytewise_fallback_not_equal
    comparisons/eq_wrapper/eq_proto3_any_unpack_bytewise_fallback_equal comparisons/ne_literal/ne_proto2
    comparisons/ne_literal/ne_proto3 comparisons/ne_literal/ne_proto2_missing_fields_neq
    comparisons/ne_literal/ne_proto3_missing_fields_neq comparisons/ne_literal/ne_proto_nan_not_equal
    comparisons/ne_literal/ne_proto_different_types comparisons/ne_literal/ne_proto2_any_unpack
    comparisons/ne_literal/ne_proto2_any_unpack_bytewise_fallback comparisons/ne_literal/ne_proto3_any_unpack
    comparisons/ne_literal/ne_proto3_any_unpack_bytewise_fallback parse/nest/message_literal
    parse/repeat/select parse/repeat/message_literal parse/whitespace/spaces parse/whitespace/tabs
    parse/whitespace/new_lines parse/whitespace/new_pages parse/whitespace/carriage_returns
    parse/comments/new_line_terminated parse/struct_field_names/as parse/struct_field_names/break
    parse/struct_field_names/const parse/struct_field_names/continue parse/struct_field_names/else
    parse/struct_field_names/for parse/struct_field_names/function parse/struct_field_names/if
    parse/struct_field_names/import parse/struct_field_names/let parse/struct_field_names/loop
    parse/struct_field_names/package parse/struct_field_names/namespace parse/struct_field_names/return
    parse/struct_field_names/var parse/struct_field_names/void parse/struct_field_names/while`,
  'names and types that only an unchecked expression may have: here every one is checked when the policy arrives': `
    basic/variables/unbound_is_runtime_error basic/functions/unbound_is_runtime_error
    comparisons/eq_literal/not_eq_list_length logic/AND/short_circuit_type_left
    logic/AND/short_circuit_type_right logic/OR/short_circuit_type_left logic/OR/short_circuit_type_right
    parse/receiver_function_names/as parse/receiver_function_names/break parse/receiver_function_names/const
    parse/receiver_function_names/continue parse/receiver_function_names/else parse/receiver_function_names/for
    parse/receiver_function_names/function parse/receiver_function_names/if
    parse/receiver_function_names/import parse/receiver_function_names/let parse/receiver_function_names/loop
    parse/receiver_function_names/package parse/receiver_function_names/namespace
    parse/receiver_function_names/return parse/receiver_function_names/var parse/receiver_function_names/void
    parse/receiver_function_names/while`,
  'string.format: texts are put together with +': `
    string_ext/format/no-op string_ext/format/mid-string_substitution string_ext/format/percent_escaping
    string_ext/format/substitution_inside_escaped_percent_signs
    string_ext/format/substitution_with_one_escaped_percent_sign_on_the_right
    string_ext/format/substitution_with_one_escaped_percent_sign_on_the_left
    string_ext/format/multiple_substitutions string_ext/format/percent_sign_escape_sequence_support
    string_ext/format/fixed_point_formatting_clause string_ext/format/binary_formatting_clause
    string_ext/format/uint_support_for_binary_formatting string_ext/format/bool_support_for_binary_formatting
    string_ext/format/octal_formatting_clause string_ext/format/uint_support_for_octal_formatting_clause
    string_ext/format/lowercase_hexadecimal_formatting_clause
    string_ext/format/uppercase_hexadecimal_formatting_clause
    string_ext/format/unsigned_support_for_hexadecimal_formatting_clause
    string_ext/format/string_support_with_hexadecimal_formatting_clause
    string_ext/format/string_support_with_uppercase_hexadecimal_formatting_clause
    string_ext/format/byte_support_with_hexadecimal_formatting_clause
    string_ext/format/byte_support_with_uppercase_hexadecimal_formatting_clause
    string_ext/format/scientific_notation_formatting_clause
    string_ext/format/default_precision_for_fixed-point_clause
    string_ext/format/default_precision_for_scientific_notation
    string_ext/format/NaN_support_for_scientific_notation
    string_ext/format/positive_infinity_support_for_scientific_notation
    string_ext/format/negative_infinity_support_for_scientific_notation
    string_ext/format/NaN_support_for_decimal string_ext/format/positive_infinity_support_for_decimal
    string_ext/format/negative_infinity_support_for_decimal string_ext/format/NaN_support_for_fixed-point
    string_ext/format/positive_infinity_support_for_fixed-point
    string_ext/format/negative_infinity_support_for_fixed-point
    string_ext/format/uint_support_for_decimal_clause string_ext/format/null_support_for_string
    string_ext/format/int_support_for_string string_ext/format/bytes_support_for_string
    string_ext/format/type()_support_for_string string_ext/format/timestamp_support_for_string
    string_ext/format/duration_support_for_string string_ext/format/list_support_for_string
    string_ext/format/map_support_for_string string_ext/format/map_support_(all_key_types)
    string_ext/format/boolean_support_for_%s string_ext/format/dyntype_support_for_string_formatting_clause
    string_ext/format/dyntype_support_for_numbers_with_string_formatting_clause
    string_ext/format/dyntype_support_for_integer_formatting_clause
    string_ext/format/dyntype_support_for_integer_formatting_clause_(unsigned)
    string_ext/format/dyntype_support_for_hex_formatting_clause
    string_ext/format/dyntype_support_for_hex_formatting_clause_(uppercase)
    string_ext/format/dyntype_support_for_unsigned_hex_formatting_clause
    string_ext/format/dyntype_support_for_fixed-point_formatting_clause
    string_ext/format/dyntype_support_for_scientific_notation string_ext/format/dyntype_NaN/infinity_support
    string_ext/format/dyntype_support_for_timestamp string_ext/format/dyntype_support_for_duration
    string_ext/format/dyntype_support_for_lists string_ext/format/dyntype_support_for_maps
    string_ext/format/string_substitution_in_a_string_variable
    string_ext/format/multiple_substitutions_in_a_string_variable
    string_ext/format/substitution_inside_escaped_percent_signs_in_a_string_variable
    string_ext/format/fixed_point_formatting_clause_in_a_string_variable
    string_ext/format/binary_formatting_clause_in_a_string_variable
    string_ext/format/scientific_notation_formatting_clause_in_a_string_variable
    string_ext/format/default_precision_for_fixed-point_clause_in_a_string_variable
    string_ext/format/format_%f_insignificant_zeroes_removed
    string_ext/format/format_%f_positive_round_to_whole_number
    string_ext/format/format_%f_negative_truncate_to_whole_number
    string_ext/format/format_%f_halfway_round_up_to_nearest_even
    string_ext/format/format_%f_halfway_truncate_to_nearest_even string_ext/format/format_%f_positive_round_up
    string_ext/format/format_%f_positive_round_down string_ext/format/format_%f_negative_round_up
    string_ext/format/format_%f_negative_round_down string_ext/format/format_%f_zero_padding`,
  'strings.quote: nothing here is written as CEL': `
    string_ext/quote/multiline string_ext/quote/escaped string_ext/quote/backspace string_ext/quote/form_feed
    string_ext/quote/carriage_return string_ext/quote/horizontal_tab string_ext/quote/vertical_tab
    string_ext/quote/double_slash string_ext/quote/two_escape_sequences string_ext/quote/verbatim
    string_ext/quote/ends_with string_ext/quote/starts_with string_ext/quote/printable_unicode
    string_ext/quote/mid_string_quote string_ext/quote/single_quote_with_double_quote
    string_ext/quote/size_unicode_char string_ext/quote/size_unicode_string string_ext/quote/unicode
    string_ext/quote/unicode_code_points string_ext/quote/unicode_2 string_ext/quote/empty_quote`,
};
