package mysql

import (
	"slices"
	"testing"
)

func TestAScriptIsCutAsTheClientCutsIt(t *testing.T) {
	const script = "/*!40101 SET NAMES utf8mb4 */;\n\n" +
		"CREATE TABLE `a;b``;` (c varchar(9) DEFAULT 'x;\\';' COMMENT \"d;\"\";\");\n" +
		"-- it's; not a string\n# nor ';\n/* nor ; ' */ SELECT 1;\nDELIMITER ;;\n" +
		"CREATE PROCEDURE p() BEGIN -- it's;;\n SELECT ';;'; /* ';; */ SELECT 2; END ;;\nDELIMITER ;\n" +
		"/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES' */ ;\nSELECT '\\';\n/*!50003 SET sql_mode = @saved */ ;\n" +
		"SELECT 1--1;SELECT '\xfc'"
	want := []string{
		"/*!40101 SET NAMES utf8mb4 */",
		"CREATE TABLE `a;b``;` (c varchar(9) DEFAULT 'x;\\';' COMMENT \"d;\"\";\")",
		"-- it's; not a string\n# nor ';\n/* nor ; ' */ SELECT 1",
		"CREATE PROCEDURE p() BEGIN -- it's;;\n SELECT ';;'; /* ';; */ SELECT 2; END",
		"/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES' */", "SELECT '\\'", "/*!50003 SET sql_mode = @saved */",
		"SELECT 1--1", "SELECT '\xfc'",
	}
	if got := slices.Collect(statements([]byte(script))); !slices.Equal(got, want) {
		t.Errorf("got %d statements:\n%q\nwant %d:\n%q", len(got), got, len(want), want)
	}
}

func TestStatementsAreKnownByTheirFirstWords(t *testing.T) {
	for statement, want := range map[string]kind{
		"/*!50003 SET sql_mode = '' */":                    stateKind,
		"CREATE TABLE `trigger` (`view` int)":              tableKind,
		"/*!50001 CREATE VIEW `v` AS SELECT\n 1 AS `a` */": standInKind,
		"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`table`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 */": viewKind,
		"/*!50001 DROP VIEW IF EXISTS `v`*/":                                    viewKind,
		"/*!50003 CREATE*/ /*!50017 DEFINER=`view`@`x`*/ /*!50003 TRIGGER t */": codeKind,
		"/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`b`*/ /*!50106 EVENT `e` ON */": codeKind,
		"CREATE DEFINER=`a`@`b` PROCEDURE `p`() SELECT 1":                       codeKind,
		"CREATE OR REPLACE SEQUENCE s":                                          tableKind,
		"ALTER DATABASE `x` CHARACTER SET latin1 COLLATE latin1_swedish_ci":     alterKind,
		"/*!50003 DROP FUNCTION IF EXISTS `f` */":                               codeKind,
		"/* CREATE TABLE */ -- SET\n":                                           stateKind,
		"INSERT INTO x VALUES (1)":                                              otherKind,
	} {
		if got := kindOf(statement); got != want {
			t.Errorf("%q is of kind %d, want %d", statement, got, want)
		}
	}
}
