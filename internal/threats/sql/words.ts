import { TOKEN, type TokenKind } from './token-kinds.ts';

const LISTS: readonly (readonly [TokenKind, string])[] = [
  [TOKEN.logic, 'and or xor'],
  [TOKEN.union, 'union intersect except minus'],
  [TOKEN.select, 'select'],
  [TOKEN.from, 'from'],
  [
    TOKEN.verb,
    'insert update delete drop alter create truncate replace merge exec execute declare grant revoke shutdown ' +
      'load rename handler call print waitfor backup procedure set analyze kill copy',
  ],
  [TOKEN.clause, 'where having order group limit into when'],
  [
    TOKEN.compare,
    'like ilike rlike regexp glob between in is similar sounds collate div mod isnull notnull match escape any some member overlaps',
  ],
  [TOKEN.constant, 'null true false default unknown current_user current_date current_timestamp session_user rowid'],
  [
    TOKEN.type,
    'int integer bigint smallint text varchar nvarchar char json jsonb bool boolean double numeric decimal float real ' +
      'bytea date timestamp uuid xml regclass',
  ],
  [TOKEN.filler, 'as by all distinct distinctrow not values case then else binary using outfile dumpfile top exists'],
  [
    TOKEN.object,
    'table database schema view function index trigger user role column tables columns procedure sequence login temporary unique',
  ],
  [
    TOKEN.catalog,
    'information_schema pg_catalog pg_class pg_user pg_shadow pg_tables sysobjects syscolumns sysusers sysdatabases ' +
      'msysaccessobjects msysobjects msyscolumns msysqueries msysrelationships msysaces msysaccessxml msysaccessstorage ' +
      'sqlite_master sqlite_schema sqlite_temp_master tempdb msdb northwind schema_name schemata all_tables user_tables ' +
      'user_tab_columns all_users table_schema table_name xp_cmdshell xp_dirtree xp_regread xp_regwrite xp_regdeletekey ' +
      'xp_fileexist xp_enumdsn xp_filelist xp_availablemedia xp_loginconfig xp_makecab xp_ntsec xp_terminate sp_executesql ' +
      'sp_password sp_addextendedproc sp_help sp_makewebtask sp_oacreate sp_prepare sp_sqlexec sp_execute sp_execwebtask ' +
      'openrowset opendatasource openquery utl_http utl_file utl_inaddr utl_smtp dbms_java dbms_pipe dbms_ldap dbms_lock ' +
      'dbms_xmlgen msdasql sqloledb dba_users',
  ],
];
/** Functions that no language but SQL has by this name, or that attacks live on. */
const CALLS =
  'sleep benchmark pg_sleep load_file extractvalue updatexml group_concat concat_ws name_const make_set find_in_set ' +
  'sysdate unhex ifnull nullif iif elt ascii ord substr substring mid char chr concat database db_name version ' +
  'current_user system_user session_user user schema last_insert_id row_count found_rows connection_id hex md5 sha1 sha2 ' +
  'crc32 aes_encrypt aes_decrypt compress uncompress encode decode encrypt des_encrypt des_decrypt old_password password ' +
  'coercibility charset collation bin oct conv inet_aton inet_ntoa inet6_aton is_used_lock is_free_lock get_lock ' +
  'release_lock master_pos_wait uuid uuid_short uuid_to_bin bin_to_uuid coalesce greatest least isnull if case cast ' +
  'convert strcmp length char_length character_length octet_length bit_length lower upper lcase ucase ltrim rtrim trim ' +
  'lpad rpad left right repeat replace reverse space locate instr position insert field format quote soundex rand pow ' +
  'power sqrt sin cos tan cot asin acos atan atan2 abs ceil ceiling floor round truncate sign mod exp ln log log2 log10 pi ' +
  'degrees radians bit_count bit_and bit_or bit_xor count sum avg min max std stddev stddev_pop stddev_samp var_pop ' +
  'var_samp variance now curdate curtime date time timestamp day month year hour minute second quarter week weekday ' +
  'dayname dayofmonth dayofweek dayofyear monthname last_day makedate maketime period_add period_diff date_add date_sub ' +
  'date_format datediff timediff timestampadd timestampdiff time_format time_to_sec sec_to_time to_days from_days ' +
  'to_seconds from_unixtime unix_timestamp utc_date utc_time utc_timestamp addtime subtime adddate subdate localtime ' +
  'localtimestamp current_date current_time current_timestamp str_to_date convert_tz get_format export_set values ' +
  'interval extract json_extract json_keys json_search json_array json_object json_build_object json_array_length ' +
  'jsonb_pretty jsonb_build_object json_value json_query json_table jsonb_path_query json_each json_tree row_to_json ' +
  'array_to_json array_agg string_agg string_to_array starts_with unistr lo_get lo_import lo_export pg_read_file ' +
  'pg_ls_dir pg_client_encoding current_setting set_config current_database current_schema has_table_privilege ' +
  'inet_server_addr query_to_xml database_to_xml table_to_xml xmltype xmlagg xmlelement chartorowid rowidtochar ' +
  'to_char to_number to_date nvl nvl2 decode listagg wm_concat rownum randomblob zeroblob load_extension sqlite_version ' +
  'sqlite_compileoption_used sqlite_compileoption_get sqlite_source_id glob likely unlikely likelihood typeof unicode ' +
  'quote total_changes changes printf writefile readfile object_id object_name col_name host_name suser_name suser_sname ' +
  'user_name user_id is_srvrolemember is_member has_dbaccess fn_virtualfilestats db_id file_name filegroup_name stuff ' +
  'charindex patindex datalength newid isnumeric dateadd datename datepart getdate sysdatetime geometrycollection ' +
  'linestring multilinestring multipoint multipolygon point polygon st_astext procedure analyse overlay bit_length ' +
  'generate_series dblink regexp_like regexp_substr regexp_replace regexp_instr to_base64 from_base64 gtid_subset ' +
  'gtid_subtract substring_index interval weight_string validate_password_strength random div in rownumber lag lead sql ' +
  'exists function local nchar min_by encode db_name has_perms_by_name xmlexists tdesencrypt tdesdecrypt crypt_key';

const KINDS = new Map<string, TokenKind>();
for (const [kind, words] of LISTS) for (const word of words.split(' ')) KINDS.set(word, kind);
const FUNCTIONS: ReadonlySet<string> = new Set(CALLS.split(' '));
/** Longest word that is one of SQL's. */
export const LONGEST_WORD = 32;

/** What a word is by itself; a name unless it is one of SQL's. */
export const kindOfWord = (word: string): TokenKind =>
  word.length > LONGEST_WORD ? TOKEN.word : (KINDS.get(word) ?? TOKEN.word);

/** Whether databases have a function of this name. */
export const isFunction = (word: string): boolean => word.length <= LONGEST_WORD && FUNCTIONS.has(word);

/** For the first two letters of a word, which lengths SQL's words of them have: one bit each. */
const LENGTHS = new Int32Array(26 * 26);
for (const word of [...KINDS.keys(), ...FUNCTIONS]) {
  const pair = pairOf(word.charCodeAt(0), word.charCodeAt(1));
  if (pair !== -1) LENGTHS[pair] = (LENGTHS[pair] ?? 0) | (1 << (word.length & 31));
}

/** Whether the word at `start` has the beginning and the length of one of SQL's; most words of a sentence have not. */
export function mayBeSql(text: string, start: number, length: number): boolean {
  const pair = pairOf(text.charCodeAt(start), text.charCodeAt(start + 1));
  return pair !== -1 && ((LENGTHS[pair] ?? 0) & (1 << (length & 31))) !== 0;
}

function pairOf(first: number, second: number): number {
  const a = first - 0x61;
  const b = second - 0x61;
  return a >= 0 && a < 26 && b >= 0 && b < 26 ? a * 26 + b : -1;
}
